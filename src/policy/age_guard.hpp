// The bound on how long anybody waits, whatever the policy prefers: a job that has waited longer
// than a least time and so many times the longest wait in the twin cluster so far is over age, and
// of those the one that has waited longest goes first.
#pragma once

#include <set>
#include <unordered_map>

#include "policy/twin.hpp"

namespace hyades {

class AgeGuard {
 public:
  explicit AgeGuard(const GuardSettings& settings) : settings_(settings) {}

  void configure(const GuardSettings& settings) { settings_ = settings; }

  void waits(const Job& job, WallMs at_ms);
  void leaves(const Job& job);
  void ended(const Job& job, WallMs at_ms) { twin_.ended(job, at_ms); }
  void forget();

  // Call before the questions of one decision.
  void look(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms);
  // The job of the queue that goes first now; 0: none is over age.
  JobId urgent(const QueueView& queue, WallMs now_ms) const;

  const Twin& twin() const { return twin_; }

 private:
  GuardSettings settings_;
  Twin twin_;
  std::unordered_map<JobId, WallMs> since_;                           // of jobs that wait
  std::map<std::string, std::set<std::pair<WallMs, JobId>>> by_age_;  // by queue
  bool known_ = false;
};

}  // namespace hyades
