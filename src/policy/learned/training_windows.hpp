// The windows of a training: of the first three quarters of each log those that are learned from,
// of the rest those that a policy is tried on, and between them those that it is chosen by. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/learned/episode.hpp"

namespace hyades::learned {

struct WindowPlan {
  std::size_t count = 16;     // of each log for learning, and of its end for choosing
  std::size_t length = 1024;  // jobs
  double held_out = 0;        // share of each log, at its end, that is not looked at
};

// What a training is of: a name for people, and a digest of the jobs.
struct TrainingLog {
  std::string name;
  std::string digest;
};

// Each window by itself; hand_set is empty until it was replayed.
struct TrainingWindows {
  std::vector<TrainingWindow> learn_from;
  std::vector<TrainingWindow> try_on;     // while it learns
  std::vector<TrainingWindow> choose_by;  // at last
  std::vector<TrainingLog> logs;
};

// Each window to learn from is there twice, the second time at another pace, which is drawn.
void add_windows(const Workload& log, const WindowPlan& plan, Prng& random, TrainingWindows& out);

// A made workload of 6000 jobs; machine, load, users and bursts are drawn by number and seed.
Workload generated_workload(int number, std::uint64_t seed);

// Of all logs, with a space between them.
std::string log_names(const TrainingWindows& windows);

// What was made counts for less than a log: a quarter of the windows, two at least.
WindowPlan plan_of_generated(const WindowPlan& plan);

}  // namespace hyades::learned
