// The jobs of one queue in its order, those first that the order puts first now.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/policy.hpp"
#include "policy/order.hpp"
#include "policy/run_predictor.hpp"

namespace hyades {

// A waiting job with its score of this moment.
struct ScoredJob {
  const WaitingJob* waiting = nullptr;
  double score = 0;
};

// By priority, score, submission.
inline bool comes_first(const ScoredJob& a, const ScoredJob& b) {
  if (a.waiting->priority != b.waiting->priority) return a.waiting->priority > b.waiting->priority;
  if (a.score != b.score) return a.score < b.score;
  return a.waiting->id < b.waiting->id;
}

// What scores depend on beside the queue and the time.
struct ScoreSources {
  const RunForecasts* forecasts = nullptr;  // nullptr: requests are all there is
  std::optional<WallMs> origin_ms = {};     // instead of the beginning of the busy period
  bool forecasts_stay = false;  // while jobs wait: lists are in the order of scores by them
};

// Of a job that has waited for no time, on a machine of which nothing is known.
OrderFacts order_facts(const QueueConfig& queue, const Job& job, WallMs busy_since_ms,
                       const ScoreSources& sources);

// Every waiting job, in no order.
std::vector<ScoredJob> scored_jobs(const QueueView& queue, const ClusterView& cluster,
                                   WallMs now_ms, const ScoreSources& sources);

// Gives out the jobs one after the other. A list that is in order already is walked as it is; one
// whose order changes with time is put into a heap.
class QueueWalk {
 public:
  // `first`: a job that is given out before all others, by next() without conditions; 0: none.
  QueueWalk(const QueueView& queue, const ClusterView& cluster, WallMs now_ms,
            const ScoreSources& sources, JobId first = 0);

  // nullptr: that was all.
  const WaitingJob* next();
  // Likewise, but those for which `hopeless(cores, limit)` holds may be passed over.
  template <typename Hopeless>
  const WaitingJob* next(const Hopeless& hopeless);
  // All that are left, in no order, without those that are hopeless.
  template <typename Hopeless>
  std::vector<ScoredJob> rest(const Hopeless& hopeless);

 private:
  const WaitingList& list_;
  bool in_order_;
  JobId first_;                        // given out out of turn
  const WaitingJob* early_ = nullptr;  // the same, until it is
  std::size_t block_ = 0;
  std::size_t item_ = 0;
  std::vector<ScoredJob> heap_;
};

template <typename Hopeless>
const WaitingJob* QueueWalk::next(const Hopeless& hopeless) {
  if (!in_order_) {
    for (const WaitingJob* job = next(); job != nullptr; job = next()) {
      if (!hopeless(job->cores, job->limit_ms)) return job;
    }
    return nullptr;
  }
  const auto& blocks = list_.blocks();
  for (; block_ < blocks.size(); ++block_, item_ = 0) {
    const LeastWanted& least = blocks[block_].summary;
    if (hopeless(least.cores, least.limit_ms)) continue;
    const auto& items = blocks[block_].items;
    while (item_ < items.size()) {
      const WaitingJob& job = items[item_++];
      if (job.id != first_ && !hopeless(job.cores, job.limit_ms)) return &job;
    }
  }
  return nullptr;
}

template <typename Hopeless>
std::vector<ScoredJob> QueueWalk::rest(const Hopeless& hopeless) {
  std::vector<ScoredJob> left;
  if (in_order_) {
    while (const WaitingJob* const job = next(hopeless)) left.push_back({job, 0});
    return left;
  }
  for (const ScoredJob& job : heap_) {
    if (job.waiting->id != first_ && !hopeless(job.waiting->cores, job.waiting->limit_ms))
      left.push_back(job);
  }
  heap_.clear();
  return left;
}

}  // namespace hyades
