// What a replay did to its jobs, in figures. Times in seconds; percentiles interpolate linearly
// between the two nearest jobs. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "hsim/replay.hpp"

namespace hyades {

// Bounded slowdown (bsld) is max(1, (wait + run) / max(run, 10 s)). All 0 when there was no job.
struct Metrics {
  std::int64_t jobs = 0;
  double avg_bsld = 0, p50_bsld = 0, p95_bsld = 0, p99_bsld = 0, max_bsld = 0;
  double avg_wait = 0, p50_wait = 0, p95_wait = 0, p99_wait = 0;
  std::int64_t max_wait = 0;
  double avg_turnaround = 0;    // wait + run
  double utilization = 0;       // work / (makespan * the machine's processors)
  std::int64_t makespan = 0;    // from the first submission to the last end
  std::int64_t backfilled = 0;  // jobs that started before one that was first

  friend bool operator==(const Metrics&, const Metrics&) = default;
};

// `jobs` in the order of the workload's, all started: `check_replay` looks whether they are.
Metrics measure(const Workload& workload, const std::vector<ReplayedJob>& jobs);

// Wait and slowdown of one job.
std::int64_t wait_of(const TraceJob& job, const ReplayedJob& replayed);
double bounded_slowdown(std::int64_t wait_s, std::int64_t run_s);

// The value below which a share q (0..1) of the values lies. `sorted` in ascending order; empty: 0.
double percentile(const std::vector<double>& sorted, double q);

}  // namespace hyades
