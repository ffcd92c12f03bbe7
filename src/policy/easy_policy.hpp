// First come, first served, with EASY backfilling over concrete placements.
//
// Assumptions: a job is stopped at its time limit, so a running job's end is known at the latest;
// what a job holds on a node does not move while it runs.
//
// Algorithm: queues by priority, jobs in queue order. Jobs start while they fit. The first job of
// a queue that does not fit is reserved: its shadow time is the earliest at which it fits when
// every running job ends at its limit, on a concrete set of nodes. A later job starts only if it
// fits now and either ends by every shadow time or leaves every reserved placement intact. On a
// single node of N cores this is the classical rule with `extra` (Lifka 1995; Mu'alem and
// Feitelson 2001): the goldens of the simulator hold it to that. One reservation per queue rather
// than one per cluster, because a queue with nodes of its own would otherwise starve its large
// jobs. Jobs that no usable node set could ever hold, and jobs kept back by a limit, never reserve.
//
// Cost: starts x nodes; a reservation log(running) x (running + nodes); backfilling at most
// `backfill_depth` candidates x nodes.
#pragma once

#include "core/policy.hpp"

namespace hyades {

class EasyPolicy : public Policy {
 public:
  // Candidates looked at behind a reservation, over all queues; 0: all.
  explicit EasyPolicy(int backfill_depth = 0) : backfill_depth_(backfill_depth) {}

  Decision decide(const std::vector<QueueView>& queues, const ClusterView& cluster,
                  WallMs now_ms) override;

 private:
  int backfill_depth_;
};

}  // namespace hyades
