#include "telemetry/rollup.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {

void Rollup::add_reading(double value) {
  Summary& s = summary_;
  s.min = s.readings == 0 ? value : std::min(s.min, value);
  s.max = s.readings == 0 ? value : std::max(s.max, value);
  s.last = value;
  ++s.readings;
}

void Rollup::add(double value) {
  if (!std::isfinite(value)) {
    ++summary_.gaps;
    return;
  }
  add_reading(value);
  total_ += value;
  weight_ += 1;
}

void Rollup::add(const CounterStep& step) {
  if (!std::isfinite(step.rate())) {
    ++summary_.gaps;
    return;
  }
  add_reading(step.rate());
  summary_.sum = (summary_.readings == 1 ? 0 : summary_.sum) + step.increase;
  total_ += step.increase;
  weight_ += step.seconds;
}

Summary Rollup::summary() const {
  Summary summary = summary_;
  // Rounding may carry a mean past what it is a mean of.
  if (weight_ > 0) summary.mean = std::clamp(total_ / weight_, summary.min, summary.max);
  return summary;
}

double by_class(const Summary& summary, const Metric& metric) {
  switch (metric.of) {
    case MetricClass::Compute:
    case MetricClass::Power:
      return summary.mean;
    case MetricClass::Memory:
    case MetricClass::Application:
      return summary.last;
    case MetricClass::Network:
      return metric.behavior == Behavior::Counter ? summary.sum : summary.last;
  }
  return kNoReading;
}

}  // namespace hyades
