// Jobs of a log or of a generator, ready to be replayed: what each asked for and what became of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hyades {

// Seconds, as logs have them, from the log's own beginning. -1: not known.
struct TraceJob {
  std::int64_t id = 0;         // the log's number
  std::int64_t submit_s = 0;   // >= 0
  std::int64_t run_s = 1;      // 1..request_s: a job is stopped at its limit
  std::int64_t request_s = 1;  // the time it asked for
  int procs = 1;               // 1..Workload::procs
  std::int64_t memory_per_proc_kib = -1;
  int user = -1;
  int group = -1;
  int executable = -1;
  int queue = -1;
  int partition = -1;
  std::int64_t wait_s = -1;  // on the machine and under the scheduler of the log

  friend bool operator==(const TraceJob&, const TraceJob&) = default;
};

struct Workload {
  std::string name;               // of the log, for people
  int procs = 0;                  // of the machine
  std::int64_t unix_start_s = 0;  // when second 0 was; 0: not known
  std::vector<TraceJob> jobs;     // by (submit_s, id)
};

}  // namespace hyades
