#include "policy/twin.hpp"

#include <algorithm>
#include <limits>

#include "policy/easy_pass.hpp"

namespace hyades {

namespace {

constexpr WallMs kNever = std::numeric_limits<WallMs>::max();
// A clock that is put right now and then goes back by less.
constexpr WallMs kSetBack_ms = 60'000;

WaitingJob place_of(const Job& job) { return waiting_job(job, 0); }

// Where the job really runs, by numbers.
Plan plan_of(const Job& job, const Cluster& cluster) {
  Plan plan;
  for (const NodeShare& share : job.placement.shares) {
    const NodeIndex node = cluster.index(share);
    if (node >= 0) plan.push_back({node, share.tasks});
  }
  return plan;
}

}  // namespace

// ---- what it is told ----------------------------------------------------------------------------

void Twin::waits(const Job& job, WallMs at_ms) {
  if (!known_) return;
  const auto [entry, is_new] = jobs_.try_emplace(job.id);
  if (!is_new) return;  // held and released, or it lost its node: here it has its place already
  entry->second.job = job;
  entry->second.since_ms = at_ms;
  news_.push_back({at_ms, job.id, false, 0});
}

void Twin::ended(const Job& job, WallMs at_ms) {
  if (!known_ || !jobs_.contains(job.id)) return;
  const WallMs run_ms = job.started_ms == 0 ? 0 : job.ended_ms - job.started_ms;
  news_.push_back({at_ms, job.id, true, std::max<WallMs>(run_ms, 0)});
}

void Twin::forget() {
  const int depth = depth_;
  *this = Twin();
  depth_ = depth;
}

// ---- its life -----------------------------------------------------------------------------------

void Twin::advance(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms,
                   const std::function<WallMs(const Job&)>& since, const ExpectedRun& expected) {
  cluster_ = cluster.cluster;
  expected_ = &expected;
  const bool set_back = now_ms < last_ms_ - kSetBack_ms;
  if (!known_ || set_back || inventories_ != cluster_->inventories()) {
    take_over(queues, cluster, now_ms, since);
    last_ms_ = now_ms;
    return;
  }
  last_ms_ = now_ms;
  see_queues(queues);
  while (true) {
    const WallMs told_ms = news_.empty() ? kNever : news_.front().at_ms;
    const WallMs end_ms = ends_.empty() ? kNever : ends_.begin()->first.first;
    const WallMs at_ms = std::min(told_ms, end_ms);
    if (at_ms > now_ms) return;
    // A clock that went back a little: what was told later than it now is is played later.
    while (!news_.empty() && news_.front().at_ms <= at_ms) {
      const News news = news_.front();
      news_.pop_front();
      play(news);
    }
    while (!ends_.empty() && ends_.begin()->first.first <= at_ms) {
      TwinJob& twin = *ends_.begin()->second;
      if (!lives_on(twin, at_ms)) finish(twin);
    }
    decide(*cluster_, at_ms);
  }
}

void Twin::take_over(const std::vector<QueueView>& queues, const ClusterView& cluster,
                     WallMs now_ms, const std::function<WallMs(const Job&)>& since) {
  std::map<std::string, WallMs> longest;
  const ExpectedRun* const expected = expected_;
  for (const auto& queue : queues_) longest[queue->config.name] = queue->longest_wait_ms;
  forget();
  known_ = true;
  expected_ = expected;
  cluster_ = cluster.cluster;
  inventories_ = cluster_->inventories();
  free_ = cluster_->whole();
  see_queues(queues);
  for (const auto& queue : queues_) queue->longest_wait_ms = longest[queue->config.name];
  cluster.running->each([&](const RunningJob& running) {
    TwinJob& twin = jobs_[running.id];
    twin.job = *running.job;
    twin.since_ms = twin.job.submitted_ms;
    begin(twin, plan_of(twin.job, *cluster_), running.expected_end_ms - limit_ms_of(twin.job));
  });
  for (const QueueView& queue : queues) {
    queue.waiting->each([&](const WaitingJob& waiting) {
      TwinJob& twin = jobs_[waiting.id];
      twin.job = *waiting.job;
      twin.since_ms = since(twin.job);
      queue_of(twin)->waiting.insert(place_of(twin.job));
    });
  }
  decide(*cluster_, now_ms);
}

void Twin::see_queues(const std::vector<QueueView>& queues) {
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const std::string& name = queues[i].config->name;
    const auto found = std::find_if(queues_.begin(), queues_.end(),
                                    [&](const auto& q) { return q->config.name == name; });
    if (found == queues_.end()) {
      queues_.push_back(std::make_unique<TwinQueue>());
      queues_.back()->config.name = name;
      std::rotate(queues_.begin() + static_cast<std::ptrdiff_t>(i), queues_.end() - 1,
                  queues_.end());
    } else if (const auto at = static_cast<std::size_t>(found - queues_.begin()); at != i) {
      std::swap(queues_[at], queues_[i]);
    }
    if (queues_[i]->usable != queues[i].usable) queues_[i]->usable = queues[i].usable;
    queues_[i]->run_times = run_times_of(*queues[i].config);
  }
}

void Twin::play(const News& news) {
  const auto found = jobs_.find(news.job);
  if (found == jobs_.end()) return;
  TwinJob& twin = found->second;
  TwinQueue* const queue = queue_of(twin);
  if (!news.has_ended) {
    if (queue != nullptr) queue->waiting.insert(place_of(twin.job));
    return;
  }
  twin.run_ms = news.run_ms;
  const bool waits = twin.start_ms < 0;
  if (twin.over) {
    jobs_.erase(found);
  } else if (!waits) {
    // It began later than now: the clock was set back since.
    const WallMs begun_ms = std::min(twin.start_ms, news.at_ms);
    set_end(twin, std::max(begun_ms + twin.run_ms, news.at_ms));
  } else if (twin.run_ms == 0) {  // it was cancelled
    if (queue != nullptr) queue->waiting.erase(place_of(twin.job));
    jobs_.erase(found);
  }
}

void Twin::decide(const Cluster& cluster, WallMs now_ms) {
  const bool nobody = std::all_of(queues_.begin(), queues_.end(),
                                  [](const auto& queue) { return queue->waiting.empty(); });
  if (nobody) return;
  const ClusterView view{&cluster, &running_, &free_};
  Decision decision;
  PlanLedger ledger(view, now_ms);
  Depth depth(depth_);
  std::vector<QueueView> views;
  views.reserve(queues_.size());
  for (const auto& queue : queues_) {
    views.push_back({&queue->config, &queue->waiting, queue->usable, 0, {}});
    ledger.use(queue->usable);
    EasyPass(views.back(), {}, ledger, depth, decision).run();
  }
  for (const Start& start : decision.starts) {
    TwinJob& twin = jobs_.at(start.job);
    TwinQueue& queue = *queue_of(twin);
    queue.waiting.erase(place_of(twin.job));
    queue.longest_wait_ms = std::max(queue.longest_wait_ms, now_ms - twin.since_ms);
    begin(twin, start.plan, now_ms);
  }
}

void Twin::begin(TwinJob& twin, const Plan& plan, WallMs at_ms) {
  twin.start_ms = at_ms;
  twin.plan = plan;
  move(twin, -1);
  RunningJob running{at_ms + limit_ms_of(twin.job), twin.job.id, &twin.job, &twin.plan};
  for (const PlannedShare& share : plan) {
    const Node& node = cluster_->nodes()[static_cast<std::size_t>(share.node)];
    running.cores += cores_of(twin.job.spec, node, share.tasks);
    running.memory_mib += memory_of(twin.job.spec, node, share.tasks);
  }
  running_.insert(running);
  twin.end_ms = at_ms + (twin.run_ms >= 0 ? twin.run_ms : expected_run_ms(twin, at_ms));
  ends_.insert({{twin.end_ms, twin.job.id}, &twin});
}

WallMs Twin::expected_run_ms(const TwinJob& twin, WallMs now_ms) {
  const TwinQueue* const queue = queue_of(twin);
  return (*expected_)(twin.job, queue == nullptr ? RunTimes::Request : queue->run_times, now_ms);
}

// Whether the job, which was expected to end now, has outlived that in the meantime.
bool Twin::lives_on(TwinJob& twin, WallMs now_ms) {
  if (twin.run_ms >= 0) return false;
  const WallMs end_ms = twin.start_ms + expected_run_ms(twin, now_ms);
  if (end_ms <= now_ms) return false;
  ends_.erase({twin.end_ms, twin.job.id});
  twin.end_ms = end_ms;
  ends_.insert({{twin.end_ms, twin.job.id}, &twin});
  return true;
}

void Twin::finish(TwinJob& twin) {
  ends_.erase({twin.end_ms, twin.job.id});
  running_.erase({twin.start_ms + limit_ms_of(twin.job), twin.job.id});
  move(twin, +1);
  twin.over = true;
  if (twin.run_ms >= 0) jobs_.erase(twin.job.id);
}

void Twin::set_end(TwinJob& twin, WallMs end_ms) {
  if (end_ms >= twin.end_ms) return;
  ends_.erase({twin.end_ms, twin.job.id});
  twin.end_ms = end_ms;
  ends_.insert({{twin.end_ms, twin.job.id}, &twin});
}

// Takes what the job holds off the free table (-1), or gives it back (+1).
void Twin::move(TwinJob& twin, int sign) {
  for (const PlannedShare& share : twin.plan) {
    const Node& node = cluster_->nodes()[static_cast<std::size_t>(share.node)];
    if (sign < 0) {
      free_.take(share.node, node, twin.job.spec, share.tasks);
    } else {
      free_.give(share.node, node, twin.job.spec, share.tasks);
    }
  }
}

Twin::TwinQueue* Twin::queue_of(const TwinJob& twin) {
  for (const auto& queue : queues_) {
    if (queue->config.name == twin.job.spec.queue) return queue.get();
  }
  return nullptr;
}

WallMs Twin::longest_wait_ms(const std::string& queue) const {
  for (const auto& known : queues_) {
    if (known->config.name == queue) return known->longest_wait_ms;
  }
  return 0;
}

}  // namespace hyades
