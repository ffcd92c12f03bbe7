#include "telemetry/counter_rate.hpp"

#include <cmath>

namespace hyades {

double CounterRate::increase_to(double value) const {
  if (value >= value_) return value - value_;
  if (wraps_at_ <= 0 || value_ > wraps_at_) return kNoReading;
  const double wrapped = wraps_at_ - value_ + value;
  return wrapped < wraps_at_ / 2 ? wrapped : kNoReading;
}

CounterStep CounterRate::step(BootMs now_ms, double value) {
  if (!std::isfinite(value) || value < 0) return {};
  if (begun_ && now_ms == at_ms_) return {};
  CounterStep step;
  if (begun_ && now_ms > at_ms_) {
    step.seconds = static_cast<double>(now_ms - at_ms_) / 1000;
    step.increase = increase_to(value);
  }
  begun_ = true;
  at_ms_ = now_ms;
  value_ = value;
  return step;
}

std::vector<Reading> rates(std::span<const Reading> counter, double wraps_at) {
  CounterRate rate(wraps_at);
  std::vector<Reading> result;
  result.reserve(counter.size());
  for (const Reading& reading : counter) {
    result.push_back({reading.at_ms, rate.step(reading.at_ms, reading.value).rate()});
  }
  return result;
}

}  // namespace hyades
