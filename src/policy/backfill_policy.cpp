#include "policy/backfill_policy.hpp"

#include <algorithm>

#include "policy/conservative_pass.hpp"
#include "policy/easy_pass.hpp"
#include "policy/order.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {

void BackfillPolicy::configure(const ClusterConfig& config) {
  depth_ = config.backfill_depth;
  const bool some_are_favoured =
      std::any_of(config.queues.begin(), config.queues.end(),
                  [](const QueueConfig& queue) { return queue.order != QueueOrder::Fcfs; });
  if (!config.guard.enabled || !some_are_favoured) {
    guard_.reset();
  } else {
    if (!guard_) guard_.emplace();
    guard_->configure(config.guard, depth_);
  }
}

double BackfillPolicy::rank(const QueueConfig& queue, const Job& job, WallMs busy_since_ms) const {
  if (changes_with_time(queue.order)) return 0;
  const WallMs origin_ms = origin_ms_.value_or(busy_since_ms);
  OrderFacts facts;
  facts.request_s = job.spec.time_limit_s;
  facts.procs = static_cast<double>(procs_of(job.spec));
  facts.since_busy_s = static_cast<double>(job.submitted_ms - origin_ms) / 1000 + 1;
  return score(queue.order, facts);
}

void BackfillPolicy::waits(const Job& job, WallMs at_ms) {
  if (guard_) guard_->waits(job, at_ms);
}

void BackfillPolicy::leaves(const Job& job) {
  if (guard_) guard_->leaves(job);
}

void BackfillPolicy::ended(const Job& job, WallMs at_ms) {
  if (guard_) guard_->ended(job, at_ms);
}

void BackfillPolicy::forget() {
  if (guard_) guard_->forget();
}

void BackfillPolicy::look(const std::vector<QueueView>& queues, const ClusterView& cluster,
                          WallMs now_ms) {
  if (guard_) guard_->look(queues, cluster, now_ms);
}

Decision BackfillPolicy::plan(const std::vector<QueueView>& queues, const ClusterView& cluster,
                              WallMs now_ms) const {
  Decision decision;
  PlanLedger ledger(cluster, now_ms);
  Depth depth(depth_);
  for (const QueueView& queue : queues) {
    if (queue.waiting->empty()) continue;
    ledger.use(queue.usable);
    const JobId first = guard_ ? guard_->urgent(queue, *cluster.cluster, now_ms) : 0;
    if (queue.config->backfill == Backfill::Conservative) {
      ConservativePass(queue, ledger, depth, decision).run(first);
    } else {
      EasyPass(queue, ledger, depth, decision).run(first);
    }
  }
  return decision;
}

}  // namespace hyades
