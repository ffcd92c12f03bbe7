#include "telemetry/rolling.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

// Times are taken from the newest one: as they are, their squares would use up the digits.
double slope_of(const std::deque<Reading>& window, double mean) {
  const WallMs newest_ms = window.back().at_ms;
  double mean_s = 0;
  int count = 0;
  const auto seconds = [&](const Reading& reading) {
    return static_cast<double>(reading.at_ms - newest_ms) / 1000;
  };
  for (const Reading& reading : window) {
    if (std::isnan(reading.value)) continue;
    mean_s += seconds(reading);
    ++count;
  }
  mean_s /= count;
  double across = 0;
  double along = 0;
  for (const Reading& reading : window) {
    if (std::isnan(reading.value)) continue;
    const double s = seconds(reading) - mean_s;
    across += s * (reading.value - mean);
    along += s * s;
  }
  return along > 0 ? across / along : kNoReading;
}

}  // namespace

Rolling::Rolling(RollingOptions options) : options_(options) {
  options_.lag = std::max(options_.lag, 1);
}

void Rolling::forget(WallMs now_ms) {
  if (!window_.empty() && window_.back().at_ms > now_ms) {
    window_.clear();
    lags_.clear();
  }
  while (!window_.empty() && window_.front().at_ms <= now_ms - options_.window_ms) {
    window_.pop_front();
  }
}

void Rolling::describe(RollingFeatures& row) {
  values_.clear();
  for (const Reading& reading : window_) {
    if (!std::isnan(reading.value)) values_.push_back(reading.value);
  }
  row.readings = static_cast<int>(values_.size());
  row.gaps = static_cast<int>(window_.size()) - row.readings;
  if (values_.empty()) return;
  const double n = row.readings;
  double sum = 0;
  for (double value : values_) sum += value;
  row.mean = sum / n;
  double squares = 0;
  for (double value : values_) squares += (value - row.mean) * (value - row.mean);
  row.stddev = std::sqrt(squares / n);
  row.slope = slope_of(window_, row.mean);
  std::sort(values_.begin(), values_.end());
  row.min = values_.front();
  row.max = values_.back();
  // 95 n / 100, rounded up, in whole numbers: 0.95 * 20 is a little more than 19.
  row.p95 = values_[(values_.size() * 95 + 99) / 100 - 1];
}

RollingFeatures Rolling::push(const Reading& reading) {
  forget(reading.at_ms);
  RollingFeatures row;
  row.at_ms = reading.at_ms;
  const auto lag = static_cast<std::size_t>(options_.lag);
  if (!lags_.empty()) row.lag_1 = lags_.back();
  if (lags_.size() >= lag) row.lag_k = lags_.front();
  const double value = std::isfinite(reading.value) ? reading.value : kNoReading;
  lags_.push_back(value);
  if (lags_.size() > lag) lags_.pop_front();
  if (options_.window_ms > 0) window_.push_back({reading.at_ms, value});
  describe(row);
  return row;
}

std::vector<RollingFeatures> rolling_features(std::span<const Reading> series,
                                              RollingOptions options) {
  Rolling rolling(options);
  std::vector<RollingFeatures> rows;
  rows.reserve(series.size());
  for (const Reading& reading : series) rows.push_back(rolling.push(reading));
  return rows;
}

}  // namespace hyades
