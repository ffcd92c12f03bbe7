// Each queue in its own order, with backfilling over concrete placements.
//
// Queues by priority, jobs by the queue's order (policy/order.hpp). Jobs start while they fit. With
// EASY, the first job of a queue that does not fit is reserved: its shadow time is the earliest at
// which it fits when every running job ends at its limit, on a concrete set of nodes. A later job
// starts only if it fits now and either ends by every shadow time or leaves every reserved
// placement intact. On a single node of N cores this is the classical rule with `extra` (Lifka
// 1995; Mu'alem and Feitelson 2001): the goldens of the simulator hold it to that. With
// conservative backfilling every waiting job has the earliest place that delays none before it,
// found anew at each pass (Mu'alem and Feitelson 2001).
//
// A queue that is advised (policy/global_policy.hpp) has the order, backfilling and reserve that an
// adviser chose last.
//
// With a guard (policy/age_guard.hpp), a job that is over age goes before all others of its queue.
// Where run times are predicted (policy/run_predictor.hpp), orders go by that; reservations never
// do. With a reserve, jobs that are expected to run for long leave some cores to jobs to come.
//
// One reservation per queue rather than one per cluster, because a queue with nodes of its own
// would otherwise starve its large jobs. Jobs that no usable node set could ever hold, and jobs
// kept back by a limit, never reserve.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "core/policy.hpp"
#include "policy/age_guard.hpp"
#include "policy/global_policy.hpp"
#include "policy/patience.hpp"
#include "policy/placement_refiner.hpp"
#include "policy/queue_walk.hpp"
#include "policy/run_predictor.hpp"

namespace hyades {

class Depth;
class PlanLedger;

class BackfillPolicy : public Policy {
 public:
  // Orders that look at the time of submission count from `origin_ms`, if it is there, rather than
  // from the beginning of the queue's busy period. `trainer` must outlive the policy; nullptr:
  // nobody makes models of run times. `past` is asked when run times are predicted first.
  // `adviser` must outlive the policy; nullptr: advised queues go by what holds without one.
  explicit BackfillPolicy(std::optional<WallMs> origin_ms = {}, RunModelTrainer* trainer = nullptr,
                          PastJobs past = {}, Adviser* adviser = nullptr)
      : origin_ms_(origin_ms), trainer_(trainer), adviser_(adviser), past_(std::move(past)) {}

  // Takes over how many candidates are looked at, and the guard. There is a guard as long as some
  // queue's order favours anybody.
  void configure(const ClusterConfig& config) override;
  void waits(const Job& job, WallMs at_ms) override;
  void leaves(const Job& job) override;
  void starts(const Job& job, WallMs at_ms) override;
  void ended(const Job& job, WallMs at_ms) override;
  void forget() override;
  bool wakes(WallMs now_ms) override;

  // nullptr: there is none.
  const AgeGuard* guard() const { return guard_ ? &*guard_ : nullptr; }
  const RunPredictor* predictor() const { return predictor_ ? &*predictor_ : nullptr; }
  // What the queue goes by now: an order that is not advised.
  QueueConfig rule_of(const QueueConfig& queue) const;
  const GlobalPolicy* global() const { return global_ ? &*global_ : nullptr; }
  GlobalPolicy* global() { return global_ ? &*global_ : nullptr; }

  double rank(const QueueConfig& queue, const Job& job, WallMs busy_since_ms) const override;
  // Phase 2 (policy/placement_refiner.hpp) has the last word on where.
  Decision decide(const std::vector<QueueView>& queues, const ClusterView& cluster,
                  WallMs now_ms) override;
  Decision plan(const std::vector<QueueView>& queues, const ClusterView& cluster,
                WallMs now_ms) const override;
  std::optional<Explanation> explain(const std::vector<QueueView>& queues,
                                     const ClusterView& cluster, const Job& job,
                                     WallMs now_ms) const override;

 protected:
  void look(const std::vector<QueueView>& queues, const ClusterView& cluster,
            WallMs now_ms) override;

 private:
  ScoreSources sources() const { return {predictor(), origin_ms_}; }
  // nullptr: none holds.
  const GlobalAdvice* advice_for(const std::string& queue) const;
  void place_in_queue(const QueueView& queue, const ClusterView& cluster, const Job& job,
                      WallMs now_ms, Explanation& why) const;
  // Writes down what the queue goes by.
  void name_policy(const QueueConfig& queue, const GlobalAdvice* advice,
                   std::span<Start> starts) const;
  Decision plan_on(PlanLedger& ledger, const std::vector<QueueView>& queues,
                   Patience* patience) const;
  // `usable`: the queue's nodes; outlives the ledger.
  void plan_queue(const QueueView& queue, const std::vector<char>& usable, PlanLedger& ledger,
                  Depth& depth, Decision& decision, Patience* patience) const;
  // Nothing: nobody may wait for faster nodes.
  std::optional<Patience> patience_on(const PlanLedger& ledger,
                                      const std::vector<QueueView>& queues) const;
  double expected_run_s(const QueueConfig& queue, const Job& job) const;
  void note_waited(Decision& decision) const;
  void note_patient(const PatientJobs& waiting);

  std::optional<WallMs> origin_ms_;
  RunModelTrainer* trainer_;
  Adviser* adviser_;
  PastJobs past_;
  std::map<std::string, std::string> texts_;  // of what queues go by without advice
  int depth_ = 0;  // candidates looked at behind a reservation, over all queues; 0: all
  std::optional<AgeGuard> guard_;
  std::optional<RunPredictor> predictor_;
  std::optional<GlobalPolicy> global_;  // only beside a predictor
  PlacementRefiner refiner_;
  PatientJobs patient_;  // all that waited for faster nodes once, until they leave the queue
};

}  // namespace hyades
