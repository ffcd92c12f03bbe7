// What-if: who would wait longer, and who shorter, if the same jobs were scheduled otherwise. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hsim/replay.hpp"

namespace hyades {

// Some of the jobs, before and after. Waits in seconds.
struct WaitGroup {
  std::string name;
  std::int64_t jobs = 0;
  double mean_before = 0;
  double mean_after = 0;
  std::int64_t max_before = 0;
  std::int64_t max_after = 0;
  std::int64_t shorter = 0;  // jobs that wait less by at least a minute
  std::int64_t longer = 0;   // jobs that wait more by at least a minute

  double difference() const { return mean_after - mean_before; }
};

// All of them, and the same jobs divided in four ways; every list adds up to `all`. Users are
// sorted by what changes for all their jobs together, the largest change first; the others by their
// classes.
struct WaitComparison {
  WaitGroup all;
  std::vector<WaitGroup> by_queue;
  std::vector<WaitGroup> by_user;
  std::vector<WaitGroup> by_size;  // processors
  std::vector<WaitGroup> by_run_time;
};

// What a log's number is called; "" for "queue 3", "user 17".
struct WaitNames {
  std::function<std::string(int queue)> queue;
  std::function<std::string(int user)> user;
};

// Both replays are of this workload, with all its jobs started. A number that the log does not know
// is "not known".
WaitComparison compare_waits(const Workload& workload, const std::vector<ReplayedJob>& before,
                             const std::vector<ReplayedJob>& after, const WaitNames& names = {});

}  // namespace hyades
