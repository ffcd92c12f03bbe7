#include "telemetry/hampel_filter.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hyades {
namespace {

constexpr double kDeviationsPerMedian = 1.4826;  // of a normal distribution
constexpr std::size_t kReadingsMin = 3;

// Reorders `values`, which has some.
double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

}  // namespace

HampelFilter::Result HampelFilter::push(double value) {
  if (!std::isfinite(value)) return {};
  window_.push_back(value);
  if (window_.size() > static_cast<std::size_t>(std::max(options_.window, 1))) window_.pop_front();
  if (window_.size() < kReadingsMin) return {value, false};
  sorted_.assign(window_.begin(), window_.end());
  const double median = median_of(sorted_);
  for (double& each : sorted_) each = std::abs(each - median);
  const double deviation = std::max(kDeviationsPerMedian * median_of(sorted_), options_.floor);
  const bool wild = std::abs(value - median) > options_.k * deviation;
  return {wild ? median : value, wild};
}

std::vector<Reading> without_wild_readings(std::span<const Reading> series, HampelOptions options) {
  HampelFilter filter(options);
  std::vector<Reading> result;
  result.reserve(series.size());
  for (const Reading& reading : series) {
    result.push_back({reading.at_ms, filter.push(reading.value).value});
  }
  return result;
}

}  // namespace hyades
