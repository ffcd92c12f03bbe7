// The bound on how long anybody waits, whatever the policy prefers: a job that has waited longer
// than a least time and so many times the longest wait in the twin cluster so far is over age, and
// of those the one that has waited longest goes first. Jobs that a limit keeps back, or that the
// nodes of today cannot hold, hold up nobody.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "policy/twin.hpp"

namespace hyades {

class AgeGuard {
 public:
  // `depth`: candidates that are looked at behind a reservation; 0: all.
  void configure(const GuardSettings& settings, int depth);

  void waits(const Job& job, WallMs at_ms);
  void leaves(const Job& job);
  void ended(const Job& job, WallMs at_ms) { twin_.ended(job, at_ms); }
  void forget();

  // Call before the questions of one decision.
  void look(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms,
            const ExpectedRun& expected);
  // The job of the queue that goes first now; 0: none is over age.
  JobId urgent(const QueueView& queue, const Cluster& cluster, WallMs now_ms) const;

  // When the waiting job will be over age, unless the twin's longest wait grows until then.
  WallMs over_age_ms(const QueueView& queue, const Job& job) const;

  const Twin& twin() const { return twin_; }

 private:
  void remember(const Job& job, WallMs since_ms);
  double most_ms(const QueueView& queue) const;

  GuardSettings settings_;
  Twin twin_;
  std::unordered_map<JobId, WallMs> since_;  // of jobs that wait
  // The same by queue, longest first. Jobs are the controller's, which tells when they leave.
  std::map<std::string, std::map<std::pair<WallMs, JobId>, const Job*>> by_age_;
  bool known_ = false;
};

}  // namespace hyades
