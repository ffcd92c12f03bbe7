// The readings of a stretch of time, summed up.
#pragma once

#include "telemetry/counter_rate.hpp"
#include "telemetry/metric.hpp"

namespace hyades {

// Of a gauge: its values. Of a counter: its rates, a second. kNoReading where there were none.
struct Summary {
  int readings = 0;
  int gaps = 0;  // looks at the source that gave nothing
  double min = kNoReading;
  double mean = kNoReading;  // of a gauge over the readings, of a counter over the time
  double max = kNoReading;
  double last = kNoReading;
  double sum = kNoReading;  // what a counter grew by; kNoReading for a gauge
};

class Rollup {
 public:
  void add(double value);
  // A step of a counter; it counts where it ends. Its first reading makes no step and is neither a
  // reading nor a gap, so do not add it.
  void add(const CounterStep& step);

  bool empty() const { return summary_.readings == 0 && summary_.gaps == 0; }
  Summary summary() const;

 private:
  void add_reading(double value);

  Summary summary_;
  double total_ = 0;   // of values, or of increases
  double weight_ = 0;  // readings, or seconds
};

// The one number that stands for a stretch, as each class wants it: the mean of compute and of
// power (of energy: the watts), the latest of memory and of application, what went over a network
// (the latest of what is no counter).
double by_class(const Summary& summary, const Metric& metric);

}  // namespace hyades
