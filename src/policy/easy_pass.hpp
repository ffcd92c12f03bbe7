// One queue's turn in a scheduling pass: EASY backfilling, or none. See backfill_policy.hpp.
#pragma once

#include "core/policy.hpp"
#include "policy/plan_ledger.hpp"
#include "policy/queue_walk.hpp"

namespace hyades {

// How many more candidates may be looked at.
class Depth {
 public:
  explicit Depth(int most) : bounded_(most > 0), left_(most) {}
  // False: that was one too many.
  bool use() { return !bounded_ || --left_ >= 0; }

 private:
  bool bounded_;
  int left_;
};

class EasyPass {
 public:
  EasyPass(const QueueView& queue, PlanLedger& ledger, Depth& depth, Decision& decision)
      : queue_(queue), ledger_(ledger), depth_(depth), decision_(decision) {}

  // `first`: a job that goes before all others; 0: none does.
  void run(JobId first = 0);

 private:
  bool forbidden(const Job& job);
  bool try_start(const WaitingJob& waiting, StartReason why);
  bool start_heads(QueueWalk& walk);
  void backfill(QueueWalk& walk);
  std::vector<ScoredJob> candidates(std::vector<ScoredJob> jobs) const;
  bool look_at(const WaitingJob& candidate);

  const QueueView& queue_;
  PlanLedger& ledger_;
  Depth& depth_;
  Decision& decision_;
};

}  // namespace hyades
