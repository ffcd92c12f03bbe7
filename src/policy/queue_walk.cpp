#include "policy/queue_walk.hpp"

#include <algorithm>
#include <utility>

#include "policy/order.hpp"

namespace hyades {

namespace {

double machine_of(const QueueView& queue, const Cluster& cluster) {
  double cores = 0;
  for (std::size_t i = 0; i < queue.usable.size(); ++i) {
    if (queue.usable[i]) cores += cluster.whole().cores(static_cast<NodeIndex>(i));
  }
  return cores > 0 ? cores : 1;
}

bool comes_later(const ScoredJob& a, const ScoredJob& b) { return comes_first(b, a); }

}  // namespace

std::vector<ScoredJob> scored_jobs(const QueueView& queue, const ClusterView& cluster,
                                   WallMs now_ms) {
  std::vector<ScoredJob> jobs;
  jobs.reserve(queue.waiting->size());
  OrderFacts facts;
  facts.machine = machine_of(queue, *cluster.cluster);
  queue.waiting->each([&](const WaitingJob& waiting) {
    facts.request_s = waiting.job->spec.time_limit_s;
    facts.procs = static_cast<double>(waiting.cores);
    facts.waited_s = static_cast<double>(now_ms - waiting.job->submitted_ms) / 1000;
    jobs.push_back({&waiting, score(queue.config->order, facts)});
  });
  return jobs;
}

QueueWalk::QueueWalk(const QueueView& queue, const ClusterView& cluster, WallMs now_ms, JobId first)
    : list_(*queue.waiting), in_order_(!changes_with_time(queue.config->order)), first_(first) {
  if (first_ != 0) {
    list_.each([&](const WaitingJob& job) {
      if (job.id == first_) early_ = &job;
    });
  }
  if (in_order_) return;
  heap_ = scored_jobs(queue, cluster, now_ms);
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
