// How far phase 2, and parts of it, stay behind the optimum on small random problems.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "policy/local_problem.hpp"

namespace hyades {

inline constexpr double kNearGap = 0.01;    // of the optimum: near it
inline constexpr double kNearShare = 0.95;  // of all problems, that phase 2 must come near

// Gaps are (cost - optimum) / optimum.
struct GapFigures {
  std::string method;
  std::size_t near = 0;   // problems with a gap of kNearGap at most
  std::size_t exact = 0;  // with none
  double sum = 0;
  double worst = 0;
  std::uint64_t worst_seed = 0;
};

struct PlacementGaps {
  std::size_t problems = 0;
  std::uint64_t first_seed = 0;
  std::vector<GapFigures> methods;  // phase 2 first

  double near_share(const GapFigures& figures) const {
    return problems == 0 ? 0 : static_cast<double>(figures.near) / static_cast<double>(problems);
  }
  double mean(const GapFigures& figures) const {
    return problems == 0 ? 0 : figures.sum / static_cast<double>(problems);
  }
  bool met() const { return !methods.empty() && near_share(methods.front()) >= kNearShare; }
};

PlacementGaps placement_gaps(std::size_t problems, std::uint64_t seed,
                             const std::function<void(std::size_t)>& done = {});

}  // namespace hyades
