// How a policy does beside its fallback (policy_network.hpp) on windows that it does not learn
// from.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hsim/bootstrap.hpp"
#include "policy/learned/replay_pool.hpp"

namespace hyades::learned {

// The policy departs from its fallback only where it expects to gain more than that.
inline constexpr std::array<double, 4> tried_margins = {0, 0.05, 0.2, 0.5};

// Of each margin, the geometric mean over windows of the slowdown over that of the fallback, with
// its bootstrap interval; each log counts the same.
using MarginRatios = std::array<Interval, tried_margins.size()>;

struct Trial {
  std::int64_t round = 0;
  double margin = 0;
  double ratio = 1;  // under that margin; 1: of the fallback
  double high = 1;   // above it with a probability of 2.5 %, by bootstrap
  double error = 0;  // of the values, at the last updates
  std::size_t experiences = 0;
  MarginRatios of_margins{};
};

// The windows' slowdowns over those of the fallback. `other_logs`: the interval is of what would
// come out on other logs like these. Too few windows, or then logs, prove nothing: `high` is 1 at
// least.
Interval ratio_of(const std::vector<TrainingWindow>& windows, const std::vector<double>& slowdowns,
                  const std::vector<double>& fallbacks, bool other_logs);

MarginRatios ratios_of(const PolicyNetwork& network, WindowSet set, ReplayPool& pool,
                       bool other_logs = false);

// The trial of the margin whose ratio is least, and below 1; else of never_departs.
Trial best_margin(const MarginRatios& ratios);
// The same, but only what is better than the fallback beyond doubt (`high` below 1): the
// best of many tries on few windows looks good by chance. Else never_departs.
Trial sure_margin(const MarginRatios& ratios);

}  // namespace hyades::learned
