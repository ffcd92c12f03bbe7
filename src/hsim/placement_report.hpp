// The page of a study of phase 2. Pure functions; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hsim/placement_gap.hpp"
#include "hsim/placement_race.hpp"

namespace hyades {

struct PlacementStudy {
  std::vector<std::pair<std::string, std::string>> facts;  // date, machine, commit, command
  PlacementGaps gaps;
  RaceOptions options;
  std::vector<RaceFigures> races;  // by size
};

std::string placement_markdown(const PlacementStudy& study);

// A bar that the figures had to reach. false: they did not.
struct PlacementBar {
  std::string what;
  std::string found;
  bool met = false;
};
std::vector<PlacementBar> placement_bars(const PlacementStudy& study);

double quantile_of(std::vector<double> values, double q);
double geometric_mean(const std::vector<double>& values);

}  // namespace hyades
