#include "policy/queue_walk.hpp"

#include <algorithm>
#include <utility>

#include "policy/plan_ledger.hpp"

namespace hyades {

namespace {

double machine_of(const QueueView& queue, const Cluster& cluster) {
  const auto cores = static_cast<double>(cores_of_nodes(queue.usable, cluster.whole()));
  return cores > 0 ? cores : 1;
}

bool comes_later(const ScoredJob& a, const ScoredJob& b) { return comes_first(b, a); }

}  // namespace

OrderFacts order_facts(const QueueConfig& queue, const Job& job, WallMs busy_since_ms,
                       const ScoreSources& sources) {
  const RunTimes run_times = run_times_of(queue);
  const RunForecast forecast = sources.forecasts == nullptr
                                   ? requested_run(job.spec)
                                   : sources.forecasts->forecast(job, run_times);
  OrderFacts facts;
  facts.run_s = forecast.run_s;
  facts.inverse_s = forecast.inverse_s;
  facts.procs = static_cast<double>(procs_of(job.spec));
  const WallMs origin_ms = sources.origin_ms.value_or(busy_since_ms);
  facts.since_busy_s = static_cast<double>(job.submitted_ms - origin_ms) / 1000 + 1;
  return facts;
}

std::vector<ScoredJob> scored_jobs(const QueueView& queue, const ClusterView& cluster,
                                   WallMs now_ms, const ScoreSources& sources) {
  std::vector<ScoredJob> jobs;
  jobs.reserve(queue.waiting->size());
  const double machine = machine_of(queue, *cluster.cluster);
  queue.waiting->each([&](const WaitingJob& waiting) {
    OrderFacts facts = order_facts(*queue.config, *waiting.job, queue.busy_since_ms, sources);
    facts.machine = machine;
    facts.waited_s = static_cast<double>(now_ms - waiting.job->submitted_ms) / 1000;
    jobs.push_back(
        {&waiting, aged(score(queue.config->order, facts), queue.config->ageing, facts.waited_s)});
  });
  return jobs;
}

QueueWalk::QueueWalk(const QueueView& queue, const ClusterView& cluster, WallMs now_ms,
                     const ScoreSources& sources, JobId first)
    : list_(*queue.waiting),
      in_order_(!changes_with_time(*queue.config, sources.forecasts_stay)),
      first_(first) {
  if (first_ != 0) {
    list_.each([&](const WaitingJob& job) {
      if (job.id == first_) early_ = &job;
    });
  }
  if (in_order_) return;
  heap_ = scored_jobs(queue, cluster, now_ms, sources);
  std::make_heap(heap_.begin(), heap_.end(), comes_later);
}

const WaitingJob* QueueWalk::next() {
  if (early_ != nullptr) return std::exchange(early_, nullptr);
  if (in_order_) return next([](std::int64_t, WallMs) { return false; });
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    const WaitingJob* const job = heap_.back().waiting;
    heap_.pop_back();
    if (job->id != first_) return job;
  }
  return nullptr;
}

}  // namespace hyades
