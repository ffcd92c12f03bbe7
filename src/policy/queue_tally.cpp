#include "policy/queue_tally.hpp"

#include <algorithm>

namespace hyades {

void QueueTally::waits(JobId job, const AskedFacts& asked, WallMs submit_ms) {
  leaves(job);
  const Entry entry{asked.queue, asked.uid, asked.cores, submit_ms, 0};
  jobs_.emplace(job, entry);
  count(job, entry, +1);
}

void QueueTally::starts(JobId job, WallMs at_ms) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  count(job, found->second, -1);
  found->second.start_ms = at_ms;
  count(job, found->second, +1);
}

void QueueTally::leaves(JobId job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  count(job, found->second, -1);
  jobs_.erase(found);
}

void QueueTally::forget() { *this = QueueTally(); }

void QueueTally::count(JobId job, const Entry& entry, int sign) {
  QueueCounts& queue = queues_[entry.queue];
  UserCounts& user = users_[entry.uid];
  if (entry.start_ms == 0) {
    queue.pending_jobs += sign;
    queue.pending_cores += sign * entry.cores;
    user.pending_jobs += sign;
  } else {
    queue.running_jobs += sign;
    user.running_jobs += sign;
    user.running_cores += sign * entry.cores;
  }
  if (sign > 0) {
    if (entry.start_ms != 0) user.starts.insert({entry.start_ms, job});
    user.submits[job] = entry.submit_ms;
    return;
  }
  user.starts.erase({entry.start_ms, job});
  user.submits.erase(job);
  if (user.submits.empty()) users_.erase(entry.uid);
}

QueueFacts QueueTally::facts(JobId job, const AskedFacts& asked) const {
  QueueFacts facts;
  const auto own = jobs_.find(job);
  const bool waits = own != jobs_.end() && own->second.start_ms == 0;
  const bool runs = own != jobs_.end() && !waits;
  if (const auto found = queues_.find(asked.queue); found != queues_.end()) {
    facts.pending_jobs = found->second.pending_jobs - (waits ? 1 : 0);
    facts.pending_cores = found->second.pending_cores - (waits ? own->second.cores : 0);
    facts.running_jobs = found->second.running_jobs - (runs ? 1 : 0);
  }
  const auto found = users_.find(asked.uid);
  if (found == users_.end()) return facts;
  const UserCounts& user = found->second;
  facts.own_pending_jobs = user.pending_jobs - (waits ? 1 : 0);
  facts.own_running_jobs = user.running_jobs - (runs ? 1 : 0);
  facts.own_running_cores = user.running_cores - (runs ? own->second.cores : 0);
  for (const auto& [start_ms, id] : user.starts) {
    if (id == job) continue;
    facts.own_oldest_start_ms = start_ms;
    break;
  }
  const auto next = user.submits.lower_bound(job);
  if (next != user.submits.begin()) facts.own_last_submit_ms = std::prev(next)->second;
  return facts;
}

}  // namespace hyades
