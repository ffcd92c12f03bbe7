#include "policy/learned/policy_trial.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace hyades::learned {
namespace {

constexpr std::size_t kProofLeast = 8;  // windows
constexpr std::size_t kLogsLeast = 4;   // to speak of others

Trial margin_with_least(double Trial::*figure, const MarginRatios& ratios) {
  Trial best{.margin = never_departs};
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const Trial trial{.margin = tried_margins[i], .ratio = ratios[i].value, .high = ratios[i].high};
    if (trial.*figure < best.*figure) best = trial;
  }
  best.of_margins = ratios;
  return best;
}

}  // namespace

Interval ratio_of(const std::vector<TrainingWindow>& windows, const std::vector<double>& slowdowns,
                  const std::vector<double>& fallbacks, bool other_logs) {
  std::map<std::string, PairedWindows> logs;
  if (windows.empty()) return {1, 1, 1};  // nothing shows that it is better
  for (std::size_t i = 0; i < windows.size(); ++i) {
    logs[windows[i].log].a.push_back(slowdowns[i]);
    logs[windows[i].log].b.push_back(fallbacks[i]);
  }
  std::vector<PairedWindows> pairs;
  for (auto& [name, log] : logs) pairs.push_back(std::move(log));
  Interval ratio = bootstrap_geometric_ratio(pairs, {.resamples = 1000, .other_logs = other_logs});
  // Few windows, or logs, drawn again are the same few.
  const bool too_few = windows.size() < kProofLeast || (other_logs && pairs.size() < kLogsLeast);
  if (too_few) ratio.high = std::max(ratio.high, 1.0);
  return ratio;
}

MarginRatios ratios_of(const PolicyNetwork& network, WindowSet set, ReplayPool& pool,
                       bool other_logs) {
  MarginRatios ratios;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    ratios[i] = ratio_of(pool.windows(set), pool.slowdowns(set, network, tried_margins[i]),
                         pool.fallback_slowdowns(set, network), other_logs);
  }
  return ratios;
}

Trial best_margin(const MarginRatios& ratios) { return margin_with_least(&Trial::ratio, ratios); }
Trial sure_margin(const MarginRatios& ratios) { return margin_with_least(&Trial::high, ratios); }

}  // namespace hyades::learned
