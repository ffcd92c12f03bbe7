// Users who repeat themselves: each has a few kinds of jobs, and what runs next is mostly what ran
// last. Without users each job is a draw of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "trace/random_numbers.hpp"
#include "trace/workload.hpp"

namespace hyades {

class UserHabits {
 public:
  struct Options {
    int procs = 1;  // of the machine
    int users = 0;
    bool over_estimates = false;
    std::int64_t memory_max_kib = 0;  // of a processor; 0: nobody asks for memory
  };

  UserHabits(const Options& options, RandomNumbers random);

  // The next job, but for its number and its time of submission. `again`: of the same user and kind
  // as the last, as in a burst.
  TraceJob next(bool again);

 private:
  struct Kind {
    int procs = 1;
    std::int64_t usual_run_s = 1;
    double spread = 0;  // of the run time's logarithm
    std::int64_t request_s = 0;
    std::int64_t memory_per_proc_kib = -1;
    int executable = -1;
  };
  struct User {
    std::vector<Kind> kinds;
    std::size_t current = 0;
  };

  Kind make_kind();
  void choose();
  TraceJob job_of(const Kind& kind);

  const Options options_;
  RandomNumbers random_;
  std::vector<User> users_;
  std::vector<double> share_before_;  // of each user and those before, of all jobs
  std::size_t user_ = 0;
  Kind kind_;  // of the last job
  int executables_ = 0;
};

}  // namespace hyades
