// Who waits and who runs, by queue and by user: the part of an observation that is about others.
// Every question costs as little with a hundred thousand jobs as with ten.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "policy/observation.hpp"

namespace hyades {

class QueueTally {
 public:
  // A job that is told of again, because it was queued again, is where it was told of last.
  void waits(JobId job, const AskedFacts& asked, WallMs submit_ms);
  void starts(JobId job, WallMs at_ms);
  void leaves(JobId job);  // neither waits nor runs from now on
  void forget();

  // Of the queue and the user that are asked for, without the job itself. Of nodes it says nothing.
  QueueFacts facts(JobId job, const AskedFacts& asked) const;

 private:
  struct Entry {
    std::string queue;
    std::uint32_t uid = 0;
    std::int64_t cores = 0;
    WallMs submit_ms = 0;
    WallMs start_ms = 0;  // 0: it waits
  };
  struct QueueCounts {
    std::int64_t pending_jobs = 0;
    std::int64_t pending_cores = 0;
    std::int64_t running_jobs = 0;
  };
  struct UserCounts {
    std::int64_t pending_jobs = 0;
    std::int64_t running_jobs = 0;
    std::int64_t running_cores = 0;
    std::set<std::pair<WallMs, JobId>> starts;
    std::map<JobId, WallMs> submits;
  };

  void count(JobId job, const Entry& entry, int sign);

  std::unordered_map<JobId, Entry> jobs_;
  std::map<std::string, QueueCounts> queues_;
  std::unordered_map<std::uint32_t, UserCounts> users_;
};

}  // namespace hyades
