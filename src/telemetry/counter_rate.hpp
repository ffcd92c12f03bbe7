// What a counter grew by, from one reading of it to the next. Only looks back.
#pragma once

#include <span>
#include <vector>

#include "telemetry/reading.hpp"

namespace hyades {

struct CounterStep {
  double increase = kNoReading;  // kNoReading: not known
  double seconds = 0;            // since the reading before; 0: there is none to compare with

  // A second; kNoReading when it is not known.
  double rate() const { return seconds > 0 ? increase / seconds : kNoReading; }
};

class CounterRate {
 public:
  // `wraps_at`: the counter goes on at 0 when it reaches this; 0: never.
  explicit CounterRate(double wraps_at = 0) : wraps_at_(wraps_at) {}

  // `now_ms` by any clock that is always the same one. Nothing is known of the step
  //  - to the first reading;
  //  - to a gap (kNoReading, negative or infinite). The step after it reaches back over it;
  //  - in which no time passed: the next reading is compared with the one before both;
  //  - in which time went backwards;
  //  - in which the counter went backwards without a wrap: its source began anew. A wrap is only
  //    believed where it means that the counter grew by less than half of what it can hold, for
  //    a source that begins anew shows a small number after any other.
  // More than one wrap in a step cannot be seen.
  CounterStep step(BootMs now_ms, double value);

 private:
  double increase_to(double value) const;

  double wraps_at_;
  bool begun_ = false;
  BootMs at_ms_ = 0;
  double value_ = 0;
};

// The rate at each reading of a counter; as many as there are readings.
std::vector<Reading> rates(std::span<const Reading> counter, double wraps_at);

}  // namespace hyades
