#include "hsim/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/assert.hpp"
#include "core/prng.hpp"
#include "hsim/metrics.hpp"

namespace hyades {
namespace {

using Drawn = std::vector<std::size_t>;  // which windows, in the order drawn
// A figure of the windows drawn, one list for each log.
using Statistic = std::function<double(const std::vector<Drawn>&)>;

Interval bootstrap(const std::vector<std::size_t>& sizes, const BootstrapOptions& options,
                   const Statistic& statistic) {
  std::vector<Drawn> drawn;
  for (const std::size_t size : sizes) {
    drawn.emplace_back(size);
    for (std::size_t i = 0; i < size; ++i) drawn.back()[i] = i;
  }
  Interval interval;
  interval.value = statistic(drawn);
  Prng prng(options.seed);
  std::vector<double> results;
  for (int n = 0; n < options.resamples; ++n) {
    for (Drawn& log : drawn) {
      for (std::size_t& window : log) window = prng.below(log.size());
    }
    results.push_back(statistic(drawn));
  }
  if (results.empty()) return {interval.value, interval.value, interval.value};
  std::sort(results.begin(), results.end());
  interval.low = percentile(results, (1 - options.level) / 2);
  interval.high = percentile(results, (1 + options.level) / 2);
  return interval;
}

// The geometric mean, over the logs, of what `one` says of each.
Interval over_logs(const std::vector<PairedWindows>& logs, const BootstrapOptions& options,
                   double (*log_of_ratio)(const PairedWindows&, const Drawn&)) {
  std::vector<const PairedWindows*> used;
  std::vector<std::size_t> sizes;
  for (const PairedWindows& log : logs) {
    HYADES_ASSERT(log.a.size() == log.b.size());
    if (log.a.empty()) continue;
    used.push_back(&log);
    sizes.push_back(log.a.size());
  }
  if (used.empty()) return {};
  if (options.other_logs) sizes.push_back(used.size());  // which logs, behind their windows
  return bootstrap(sizes, options, [&](const std::vector<Drawn>& drawn) {
    double sum = 0;
    for (std::size_t i = 0; i < used.size(); ++i) {
      const std::size_t log = options.other_logs ? drawn.back()[i] : i;
      sum += log_of_ratio(*used[log], drawn[log]);
    }
    return std::exp(sum / static_cast<double>(used.size()));
  });
}

}  // namespace

Interval bootstrap_mean(const std::vector<double>& values, const BootstrapOptions& options) {
  if (values.empty()) return {};
  return bootstrap({values.size()}, options, [&](const std::vector<Drawn>& drawn) {
    double sum = 0;
    for (const std::size_t window : drawn[0]) sum += values[window];
    return sum / static_cast<double>(values.size());
  });
}

Interval bootstrap_geometric_ratio(const std::vector<PairedWindows>& logs,
                                   const BootstrapOptions& options) {
  return over_logs(logs, options, [](const PairedWindows& log, const Drawn& drawn) {
    double sum = 0;
    for (const std::size_t window : drawn) sum += std::log(log.a[window] / log.b[window]);
    return sum / static_cast<double>(drawn.size());
  });
}

Interval bootstrap_ratio_of_means(const std::vector<PairedWindows>& logs,
                                  const BootstrapOptions& options) {
  return over_logs(logs, options, [](const PairedWindows& log, const Drawn& drawn) {
    double a = 0, b = 0;
    for (const std::size_t window : drawn) {
      a += log.a[window];
      b += log.b[window];
    }
    return a == 0 && b == 0 ? 0.0 : std::log(a / b);
  });
}

}  // namespace hyades
