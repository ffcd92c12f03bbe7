// Counts events of one job by the kernel's performance events: from its exec on, in every process
// that comes of it, however far away and whoever it becomes. Whatever cannot be counted is not
// there afterwards, and the reason is.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/exit_record.hpp"
#include "telemetry/counter_plan.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class JobCounters {
 public:
  // `child`: a process of this one's that stands still before its exec. Unless this process is
  // root it must be dumpable (see prctl(2)).
  void open(const CounterPlan& plan, pid_t child);

  bool any() const { return !counters_.empty(); }

  // How it stands; exact once all processes of the job have been waited for. Fills in
  // `usage.counters` and `usage.missing_counters`.
  void report(Usage& usage) const;

 private:
  struct Term {
    UniqueFd event;
    bool subtract = false;
  };
  struct Counter {
    std::string name;
    bool user_only = false;
    std::vector<Term> terms;
  };

  // 0, or errno of the first term that cannot be opened.
  static int open_terms(const PlannedCounter& planned, bool with_kernel, pid_t child,
                        Counter& counter);
  // 0 or errno.
  int open_one(const PlannedCounter& planned, pid_t child);

  std::vector<Counter> counters_;
  std::vector<MissingCounter> missing_;
};

// Keeps the kernel's machinery for software events switched on for as long as the result lives:
// otherwise it is patched in and out around every single job, which costs more than the counting.
std::vector<UniqueFd> keep_software_events_ready();

}  // namespace hyades
