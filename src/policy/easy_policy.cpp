#include "policy/easy_policy.hpp"

#include <algorithm>
#include <set>

#include "core/test_hooks.hpp"

namespace hyades {

namespace {

using Counts = std::vector<FreeCounts>;

// What a job gives back on one node, and when at the latest. A job that runs has a share; one that
// this pass starts has only numbers yet.
struct Release {
  WallMs at_ms = 0;
  NodeIndex node = 0;
  const NodeShare* share = nullptr;
  const JobSpec* spec = nullptr;
  int tasks = 0;
};

// A reservation and what is left beside it, on every node, at its start.
struct Held {
  Reservation reservation;
  const Job* job;
  Counts left;
};

// One scheduling pass.
class Pass {
 public:
  Pass(const ClusterView& view, WallMs now_ms, int backfill_depth)
      : view_(view),
        nodes_(view.cluster->nodes()),
        now_ms_(now_ms),
        candidates_left_(backfill_depth),
        bounded_(backfill_depth > 0) {
    free_.reserve(nodes_.size());
    for (const Node& node : nodes_) free_.push_back(free_counts(node));
  }

  void run(const QueueView& queue);
  Decision take() { return std::move(decision_); }

 private:
  bool consider(const QueueView& queue, const Job& job, bool& blocked);
  bool try_start(const QueueView& queue, const Job& job, StartReason why);
  bool reserve(const QueueView& queue, const Job& job);
  bool reserve_first(const Job& job, const std::vector<char>& usable, Held& held);
  bool reserve_behind_others(const Job& job, const std::vector<char>& usable, Held& held);
  Plan fit(const Job& job, const Counts& counts, const std::vector<char>& usable) const;
  Counts free_at(WallMs at_ms) const;
  Counts usable_now(WallMs end_ms) const;
  void collect_releases();
  void give_back(Counts& counts, const Release& release) const;
  bool anything_free(const std::vector<char>& usable) const;
  WallMs end_of(const Job& job, WallMs start_ms) const {
    return start_ms + WallMs{job.spec.time_limit_s} * 1000;
  }

  const ClusterView& view_;
  const std::vector<Node>& nodes_;
  WallMs now_ms_;
  int candidates_left_;
  bool bounded_;
  Counts free_;
  std::vector<Release> releases_;  // by time once collected
  bool running_collected_ = false;
  std::vector<Held> held_;
  Decision decision_;
};

void Pass::run(const QueueView& queue) {
  bool blocked = false;  // a job of this queue holds a reservation
  queue.each([&](const Job& job) { return consider(queue, job, blocked); });
}

// False ends the walk through this queue.
bool Pass::consider(const QueueView& queue, const Job& job, bool& blocked) {
  if (queue.within_limits && !queue.within_limits(job)) {
    decision_.limited.push_back(job.id);
    return true;
  }
  if (try_start(queue, job, blocked ? StartReason::Backfill : StartReason::Immediate)) return true;
  if (bounded_ && --candidates_left_ < 0) return false;
  if (!blocked && reserve(queue, job)) {
    blocked = true;
    if (queue.config->backfill == "none") return false;
  }
  return anything_free(queue.usable);
}

bool Pass::try_start(const QueueView& queue, const Job& job, StartReason why) {
  const WallMs end_ms = end_of(job, now_ms_);
  const Plan plan = held_.empty() || HYADES_DEFECT("ignore_reservation")
                        ? fit(job, free_, queue.usable)
                        : fit(job, usable_now(end_ms), queue.usable);
  if (plan.empty()) return false;
  for (const PlannedShare& share : plan) {
    const auto at = static_cast<std::size_t>(share.node);
    subtract(free_[at], nodes_[at], job.spec, share.tasks);
    for (Held& held : held_) {
      if (held.reservation.start_ms < end_ms) {
        subtract(held.left[at], nodes_[at], job.spec, share.tasks);
      }
    }
    releases_.push_back({end_ms, share.node, nullptr, &job.spec, share.tasks});
  }
  decision_.starts.push_back({job.id, plan, why});
  return true;
}

bool Pass::reserve(const QueueView& queue, const Job& job) {
  collect_releases();
  Held held{.reservation = {.job = job.id, .start_ms = 0, .plan = {}}, .job = &job, .left = {}};
  const bool found = held_.empty() ? reserve_first(job, queue.usable, held)
                                   : reserve_behind_others(job, queue.usable, held);
  if (!found) return false;
  for (const PlannedShare& share : held.reservation.plan) {
    const auto at = static_cast<std::size_t>(share.node);
    subtract(held.left[at], nodes_[at], job.spec, share.tasks);
  }
  decision_.reservations.push_back(held.reservation);
  held_.push_back(std::move(held));
  return true;
}

// Without other reservations, what is free only grows with time: bisect over the release times.
bool Pass::reserve_first(const Job& job, const std::vector<char>& usable, Held& held) {
  if (releases_.empty()) return false;
  std::size_t low = 0;
  std::size_t high = releases_.size() - 1;
  if (fit(job, free_at(releases_[high].at_ms), usable).empty()) return false;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (fit(job, free_at(releases_[middle].at_ms), usable).empty()) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  held.reservation.start_ms = releases_[low].at_ms;
  held.left = free_at(held.reservation.start_ms);
  held.reservation.plan = fit(job, held.left, usable);
  return true;
}

// The jobs reserved before this one hold their placements from their shadow times until their
// limits, so their ends are times at which this one may fit, too.
bool Pass::reserve_behind_others(const Job& job, const std::vector<char>& usable, Held& held) {
  std::set<WallMs> times;
  for (const Release& release : releases_) times.insert(release.at_ms);
  for (const Held& other : held_) times.insert(end_of(*other.job, other.reservation.start_ms));
  for (const WallMs at_ms : times) {
    Counts counts = free_at(at_ms);
    for (const Held& other : held_) {
      const WallMs start_ms = other.reservation.start_ms;
      if (at_ms < start_ms || at_ms >= end_of(*other.job, start_ms)) continue;
      for (const PlannedShare& share : other.reservation.plan) {
        const auto at = static_cast<std::size_t>(share.node);
        subtract(counts[at], nodes_[at], other.job->spec, share.tasks);
      }
    }
    Plan plan = fit(job, counts, usable);
    if (plan.empty()) continue;
    held.reservation.start_ms = at_ms;
    held.reservation.plan = std::move(plan);
    held.left = std::move(counts);
    return true;
  }
  return false;
}

// Keeps off the node that failed the job the last time, as long as another will do.
Plan Pass::fit(const Job& job, const Counts& counts, const std::vector<char>& usable) const {
  const NodeIndex avoid = job.avoid_node.empty() ? -1 : view_.cluster->index(job.avoid_node);
  if (avoid >= 0 && usable[static_cast<std::size_t>(avoid)]) {
    std::vector<char> others = usable;
    others[static_cast<std::size_t>(avoid)] = 0;
    Plan plan = place(job.spec, nodes_, counts, others);
    if (!plan.empty()) return plan;
  }
  return place(job.spec, nodes_, counts, usable);
}

Counts Pass::free_at(WallMs at_ms) const {
  Counts counts = free_;
  for (const Release& release : releases_) {
    if (release.at_ms > at_ms) break;
    give_back(counts, release);
  }
  return counts;
}

// What a job that would end at `end_ms` may use now without touching a reservation.
Counts Pass::usable_now(WallMs end_ms) const {
  Counts counts = free_;
  for (const Held& held : held_) {
    if (held.reservation.start_ms >= end_ms) continue;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      counts[i].cores = std::min(counts[i].cores, held.left[i].cores);
      counts[i].memory_mib = std::min(counts[i].memory_mib, held.left[i].memory_mib);
      counts[i].jobs = std::max(counts[i].jobs, held.left[i].jobs);
      for (std::size_t d = 0; d < counts[i].devices.size(); ++d) {
        int& count = counts[i].devices[d].count;
        count = std::min(count, held.left[i].devices[d].count);
      }
    }
  }
  return counts;
}

// Called before a reservation: running jobs are added once, starts of this pass as they come.
void Pass::collect_releases() {
  if (!running_collected_) {
    running_collected_ = true;
    for (const RunningJob& running : view_.running) {
      // A job past its limit is being stopped; nobody knows when that is done.
      const WallMs at_ms = std::max(running.expected_end_ms, now_ms_ + 1);
      for (const NodeShare& share : running.placement->shares) {
        const NodeIndex node = view_.cluster->index(share.node);
        if (node >= 0) releases_.push_back({at_ms, node, &share});
      }
    }
  }
  std::stable_sort(releases_.begin(), releases_.end(),
                   [](const Release& a, const Release& b) { return a.at_ms < b.at_ms; });
}

void Pass::give_back(Counts& counts, const Release& release) const {
  const auto at = static_cast<std::size_t>(release.node);
  if (release.share != nullptr) {
    add(counts[at], *release.share);
  } else {
    add(counts[at], nodes_[at], *release.spec, release.tasks);
  }
}

bool Pass::anything_free(const std::vector<char>& usable) const {
  for (std::size_t i = 0; i < free_.size(); ++i) {
    if (usable[i] && free_[i].cores > 0) return true;
  }
  return false;
}

}  // namespace

Decision EasyPolicy::decide(const std::vector<QueueView>& queues, const ClusterView& cluster,
                            WallMs now_ms) {
  Pass pass(cluster, now_ms, backfill_depth_);
  for (const QueueView& queue : queues) pass.run(queue);
  return pass.take();
}

}  // namespace hyades
