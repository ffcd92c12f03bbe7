// Phase 2 in the master: after the global policy has said who starts, where. See docs/placement.md.
//
// What it keeps: each start has all that it asked for, on nodes that it may use; no reservation is
// later for it; no queue has fewer cores left than without it. Where it cannot tell (a pass that
// planned conservatively, or more starts than are looked at), jobs stay where they were.
#pragma once

#include <functional>
#include <map>
#include <unordered_map>

#include "core/policy.hpp"
#include "policy/placement_facts.hpp"
#include "policy/placement_problem.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {

class PlacementRefiner {
 public:
  // Seconds that a job is expected to run.
  using ExpectedRun = std::function<double(const QueueConfig&, const Job&)>;

  void configure(const ClusterConfig& config) { facts_.configure(config); }
  // Before each pass.
  void look(const Cluster& cluster) {
    if (facts_.settings().enabled) facts_.look(cluster);
  }
  const PlacementFacts& facts() const { return facts_; }

  // Of the cluster that was looked at; `ledger` as the pass that made `decision` has left it.
  // `first_fits`: where jobs would be that the pass has put on faster nodes already.
  void refine(Decision& decision, const std::vector<QueueView>& queues, const PlanLedger& ledger,
              const std::map<JobId, Plan>& first_fits, const ExpectedRun& expected_run);

 private:
  using Jobs = std::unordered_map<JobId, const Job*>;  // that start
  struct Work;

  bool any_choice(const Decision& decision, const Jobs& jobs);
  bool contends(const Job& job);
  bool know_running(const ClusterView& view);
  void collect(const Decision& decision, const std::vector<QueueView>& queues, const Jobs& jobs,
               const ExpectedRun& expected_run, WallMs now_ms, Work& work);
  void add_pools(const std::vector<QueueView>& queues, Work& work) const;
  void settle(Work& work, const std::map<JobId, Plan>& first_fits, Decision& decision) const;
  void move(const PlacementJob& job, std::size_t index, std::size_t choice,
            const PlacementProblem& problem, const LocalLoads& loads, Start& start) const;

  PlacementFacts facts_;
};

}  // namespace hyades
