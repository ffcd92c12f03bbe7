#include "policy/learned/policy_trial.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace hyades::learned {
namespace {

constexpr std::size_t kProofLeast = 8;  // windows

Interval ratio_of(const std::vector<TrainingWindow>& windows, const std::vector<double>& slowdowns,
                  const std::vector<double>& fallbacks) {
  std::map<std::string, PairedWindows> logs;
  if (windows.empty()) return {1, 1, 1};  // nothing shows that it is better
  for (std::size_t i = 0; i < windows.size(); ++i) {
    logs[windows[i].log].a.push_back(slowdowns[i]);
    logs[windows[i].log].b.push_back(fallbacks[i]);
  }
  std::vector<PairedWindows> pairs;
  for (auto& [name, log] : logs) pairs.push_back(std::move(log));
  Interval ratio = bootstrap_geometric_ratio(pairs, {.resamples = 1000});
  // Few windows drawn again are the same few windows: they prove nothing.
  if (windows.size() < kProofLeast) ratio.high = std::max(ratio.high, 1.0);
  return ratio;
}

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

MarginRatios ratios_of(const PolicyNetwork& network, WindowSet set, ReplayPool& pool) {
  MarginRatios ratios;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    ratios[i] = ratio_of(pool.windows(set), pool.slowdowns(set, network, tried_margins[i]),
                         pool.fallback_slowdowns(set, network));
  }
  return ratios;
}

Trial best_margin(const MarginRatios& ratios) { return margin_with_least(&Trial::ratio, ratios); }
Trial sure_margin(const MarginRatios& ratios) { return margin_with_least(&Trial::high, ratios); }

}  // namespace hyades::learned
