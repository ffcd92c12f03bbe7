// One queue's turn in a scheduling pass: EASY backfilling, or none. See backfill_policy.hpp.
//
// With a reserve, a job that is expected to run for long starts only beside so many free cores;
// that holds at a reserved start, too. It is waived where the job could never start otherwise, and
// for the one that goes before all others.
#pragma once

#include "core/policy.hpp"
#include "policy/patience.hpp"
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
  // `patience`: nullptr: nobody waits for faster nodes.
  EasyPass(const QueueView& queue, const ScoreSources& sources, PlanLedger& ledger, Depth& depth,
           Decision& decision, Patience* patience = nullptr);

  // `first`: a job that goes before all others; 0: none does.
  void run(JobId first = 0);

 private:
  bool forbidden(const Job& job);
  std::int64_t kept_beside(const WaitingJob& waiting) const;
  bool try_start(const WaitingJob& waiting, StartReason why);
  bool stands(const Job& job);
  void be_patient(const Job& job, WallMs end_ms, std::int64_t kept, Plan& plan);
  bool start_heads(QueueWalk& walk);
  void backfill(QueueWalk& walk);
  std::vector<ScoredJob> candidates(std::vector<ScoredJob> jobs) const;
  bool look_at(const WaitingJob& candidate);

  const QueueView& queue_;
  const ScoreSources& sources_;
  PlanLedger& ledger_;
  Depth& depth_;
  Decision& decision_;
  Patience* patience_;
  std::int64_t machine_ = 0;  // cores of the queue's nodes; 0: there is no reserve
  std::int64_t reserve_ = 0;  // of them
  JobId first_ = 0;
};

}  // namespace hyades
