// Ways to place jobs, on scenes of several sizes: what their places cost, and how long deciding
// takes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace hyades {

struct RaceOptions {
  int scenes = 5;  // of each size
  int times = 41;  // that each decision is measured, on each scene
  int limit_s = 60;
  std::size_t pairs_most = 500'000;  // of jobs and nodes, that glpsol is asked about
  std::uint64_t seed = 1;
};

// One value of each scene, unless the way gave no result there.
struct WayFigures {
  std::string name;
  std::vector<double> cost;          // beside first-fit's
  std::vector<double> contention;    // likewise, of first-fit's whole cost
  std::vector<double> times_ms;      // of all measurements: who starts, and where
  std::map<std::string, int> notes;  // what is to be said of how many scenes
};

struct RaceFigures {
  int nodes = 0;
  int starts = 0;
  std::vector<WayFigures> ways;  // first-fit first, two-phase second
  // Of all measurements: what phase 2 adds to a decision; the same where a job that must wait is
  // promised a time; and when nodes' figures are new to it.
  std::vector<double> phase2_ms, promised_ms, fresh_ms;
  std::vector<double> moved;   // share of the jobs, one of each scene
  std::vector<double> places;  // compared for a job, in the mean, likewise
};

inline constexpr int kBarNodes = 1000;
inline constexpr double kBarPhase2_ms = 5;  // for as many nodes

// 10: 5, 100: 10, 1,000: 50, 10,000: 500.
int starts_on(int nodes);

RaceFigures placement_race(int nodes, const RaceOptions& options,
                           const std::function<void()>& scene_done = {});

}  // namespace hyades
