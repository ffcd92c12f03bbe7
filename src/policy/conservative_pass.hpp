// One queue's turn in a scheduling pass: conservative backfilling. Every waiting job, in the
// queue's order, gets the earliest place that takes nothing from those before it; who gets one now
// starts.
//
// For the queues behind this one, only its first job that has to wait is reserved.
//
// Cost: waiting jobs x times at which something ends x nodes. It ends as soon as nothing is free
// now, because then nobody behind can start.
#pragma once

#include "policy/easy_pass.hpp"

namespace hyades {

class ConservativePass {
 public:
  ConservativePass(const QueueView& queue, const ScoreSources& sources, PlanLedger& ledger,
                   Depth& depth, Decision& decision)
      : queue_(queue), sources_(sources), ledger_(ledger), depth_(depth), decision_(decision) {}

  // `first`: a job that goes before all others; 0: none does.
  void run(JobId first = 0);

 private:
  // What is free from a time on until the next segment begins; the last one lasts for ever.
  struct Segment {
    WallMs begin_ms = 0;
    FreeTable free;
    std::int64_t cores = 0;  // on the nodes of the queue
  };
  struct Slot {
    std::size_t first = 0;  // segment
    Plan plan;              // empty: there is none
  };

  void build_profile();
  Slot find(const WaitingJob& waiting) const;
  // The segment after which the job may fit next, if it cannot begin in `first`; else `first`.
  std::size_t blocked_until(const WaitingJob& waiting, std::size_t first) const;
  void book(const Job& job, const Plan& plan, WallMs begin_ms, WallMs end_ms);
  std::size_t split_at(WallMs at_ms);

  const QueueView& queue_;
  const ScoreSources& sources_;
  PlanLedger& ledger_;
  Depth& depth_;
  Decision& decision_;
  std::vector<Segment> segments_;
};

}  // namespace hyades
