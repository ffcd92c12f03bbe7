#include "policy/backfill_policy.hpp"

#include <algorithm>

#include "policy/conservative_pass.hpp"
#include "policy/easy_pass.hpp"
#include "policy/order.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {

void BackfillPolicy::configure(const ClusterConfig& config) {
  depth_ = config.backfill_depth;
  const auto some = [&](const auto& is_so) {
    return std::any_of(config.queues.begin(), config.queues.end(), is_so);
  };
  const bool some_are_favoured = some([](const QueueConfig& queue) {
    return queue.order != QueueOrder::Fcfs || reserve_of(queue) > 0;
  });
  if (!config.guard.enabled || !some_are_favoured) {
    guard_.reset();
  } else {
    if (!guard_) guard_.emplace();
    guard_->configure(config.guard, depth_);
  }
  const bool learned =
      some([](const QueueConfig& queue) { return queue.order == QueueOrder::Learned; });
  const bool predicted =
      some([](const QueueConfig& queue) { return run_times_of(queue) != RunTimes::Request; });
  if (!learned || adviser_ == nullptr) {
    global_.reset();
  } else {
    if (!global_) global_.emplace(*adviser_);
    global_->configure(config);
  }
  if (!learned && !predicted) {
    predictor_.reset();
    return;
  }
  if (!predictor_) predictor_.emplace(trainer_, past_);
  predictor_->configure(
      some([](const QueueConfig& queue) { return run_times_of(queue) == RunTimes::Learned; }));
}

double BackfillPolicy::rank(const QueueConfig& queue, const Job& job, WallMs busy_since_ms) const {
  if (changes_with_time(queue)) return 0;
  return score(queue.order, order_facts(queue, job, busy_since_ms, sources()));
}

void BackfillPolicy::waits(const Job& job, WallMs at_ms) {
  if (guard_) guard_->waits(job, at_ms);
  if (predictor_) predictor_->waits(job);
  if (global_) global_->waits(job, at_ms);
}

void BackfillPolicy::leaves(const Job& job) {
  if (guard_) guard_->leaves(job);
  if (predictor_) predictor_->leaves(job);
  if (global_) global_->leaves(job);
}

void BackfillPolicy::starts(const Job& job, WallMs at_ms) {
  if (predictor_) predictor_->starts(job, at_ms);
}

void BackfillPolicy::ended(const Job& job, WallMs at_ms) {
  if (guard_) guard_->ended(job, at_ms);
  if (predictor_) predictor_->ended(job);
}

void BackfillPolicy::forget() {
  if (guard_) guard_->forget();
  if (predictor_) predictor_->forget();
  if (global_) global_->forget();
}

void BackfillPolicy::look(const std::vector<QueueView>& queues, const ClusterView& cluster,
                          WallMs now_ms) {
  if (predictor_) predictor_->look(queues, cluster, now_ms);
  if (guard_) {
    guard_->look(queues, cluster, now_ms, [this](const Job& job, RunTimes run_times, WallMs at_ms) {
      return predictor_ ? predictor_->expected_run_ms(job, run_times, at_ms) : limit_ms_of(job);
    });
  }
  if (global_) global_->look(queues, cluster, now_ms, guard(), *predictor_);
}

Decision BackfillPolicy::plan(const std::vector<QueueView>& queues, const ClusterView& cluster,
                              WallMs now_ms) const {
  Decision decision;
  PlanLedger ledger(cluster, now_ms);
  Depth depth(depth_);
  for (const QueueView& queue : queues) {
    if (queue.waiting->empty()) continue;
    const GlobalAdvice* const advice = global_ ? global_->advice(queue.config->name) : nullptr;
    if (advice == nullptr) {
      plan_queue(queue, ledger, depth, decision);
      continue;
    }
    const QueueConfig advised = under(*queue.config, advice->action);
    QueueView view = queue;
    view.config = &advised;
    plan_queue(view, ledger, depth, decision);
  }
  return decision;
}

void BackfillPolicy::plan_queue(const QueueView& queue, PlanLedger& ledger, Depth& depth,
                                Decision& decision) const {
  ledger.use(queue.usable);
  const JobId first = guard_ ? guard_->urgent(queue, *ledger.view().cluster, ledger.now_ms()) : 0;
  if (queue.config->backfill == Backfill::Conservative) {
    ConservativePass(queue, sources(), ledger, depth, decision).run(first);
  } else {
    EasyPass(queue, sources(), ledger, depth, decision).run(first);
  }
}

}  // namespace hyades
