#include "policy/plan_ledger.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "policy/order.hpp"

namespace hyades {

PlanLedger::PlanLedger(const ClusterView& view, WallMs now_ms)
    : view_(view), nodes_(view.cluster->nodes()), now_ms_(now_ms), free_(*view.free) {}

void PlanLedger::use(const std::vector<char>& usable) {
  usable_ = &usable;
  free_cores_ = usable_cores(free_);
  beside_cores_ = held_.empty() ? free_cores_ : usable_cores(held_.front().beside);
}

std::int64_t cores_of_nodes(const std::vector<char>& usable, const FreeTable& table) {
  std::int64_t cores = 0;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    if (usable[i]) cores += std::max(table.cores(static_cast<NodeIndex>(i)), 0);
  }
  return cores;
}

std::int64_t PlanLedger::usable_cores(const FreeTable& table) const {
  return cores_of_nodes(*usable_, table);
}

WallMs PlanLedger::first_reserved_ms() const {
  return held_.empty() ? std::numeric_limits<WallMs>::max() : held_.front().reservation.start_ms;
}

Plan PlanLedger::fit(const Job& job, const FreeTable& free) const {
  const NodeIndex avoid = job.avoid_node.empty() ? -1 : view_.cluster->index(job.avoid_node);
  const std::vector<char>& nodes = nodes_to_use();
  if (avoid >= 0 && nodes[static_cast<std::size_t>(avoid)]) {
    std::vector<char> others = nodes;
    others[static_cast<std::size_t>(avoid)] = 0;
    Plan plan = place(job.spec, nodes_, free, others);
    if (!plan.empty() || within_ != nullptr) return plan;
  }
  return place(job.spec, nodes_, free, nodes);
}

Plan PlanLedger::fit_now(const Job& job, WallMs end_ms, std::int64_t kept) const {
  const FreeTable* table = &free_;
  for (const Held& held : held_) {
    if (held.reservation.start_ms >= end_ms) break;
    table = &held.beside;
  }
  Plan plan = fit(job, *table);
  if (plan.empty()) return plan;
  if (kept > 0 && free_cores_ - cores_on(*usable_, job, plan) < kept) return {};
  for (const Held& held : held_) {
    if (held.reservation.start_ms >= end_ms) break;
    if (held.kept > 0 && !leaves_enough(held, job, plan)) return {};
  }
  return plan;
}

// Nowhere, unless so many cores of the queue that is looked at are left.
Plan PlanLedger::fit_beside(const Job& job, const FreeTable& free, std::int64_t kept) const {
  Plan plan = fit(job, free);
  if (plan.empty() || kept == 0) return plan;
  return usable_cores(free) - cores_on(*usable_, job, plan) < kept ? Plan() : plan;
}

std::int64_t PlanLedger::cores_on(const std::vector<char>& usable, const Job& job,
                                  const Plan& plan) const {
  std::int64_t cores = 0;
  for (const PlannedShare& share : plan) {
    const auto node = static_cast<std::size_t>(share.node);
    if (usable[node]) cores += cores_of(job.spec, nodes_[node], share.tasks);
  }
  return cores;
}

// Whether what is kept beside the reserved job is there even if this one runs then.
bool PlanLedger::leaves_enough(const Held& held, const Job& job, const Plan& plan) const {
  return cores_of_nodes(*held.usable, held.left) - cores_on(*held.usable, job, plan) >= held.kept;
}

void PlanLedger::start(const Job& job, const Plan& plan, WallMs end_ms) {
  int cores = 0;
  for (const PlannedShare& share : plan) {
    const Node& node = nodes_[static_cast<std::size_t>(share.node)];
    cores += cores_of(job.spec, node, share.tasks);
    free_cores_ -= free_.cores(share.node);
    if (!held_.empty()) beside_cores_ -= std::max(held_.front().beside.cores(share.node), 0);
    free_.take(share.node, node, job.spec, share.tasks);
    const FreeTable* before = &free_;
    for (Held& held : held_) {
      if (held.reservation.start_ms < end_ms) {
        held.left.take(share.node, node, job.spec, share.tasks);
      }
      held.beside.copy(*before, share.node);
      held.beside.cut_to(held.left, share.node);
      before = &held.beside;
    }
    free_cores_ += free_.cores(share.node);
    if (!held_.empty()) beside_cores_ += std::max(held_.front().beside.cores(share.node), 0);
  }
  const auto place =
      std::upper_bound(started_.begin(), started_.end(), end_ms,
                       [](WallMs at_ms, const Started& other) { return at_ms < other.end_ms; });
  started_.insert(place, {end_ms, &job, plan, cores});
}

bool PlanLedger::reserve(const Job& job, Reservation& out, std::int64_t kept) {
  FreeTable left;
  out.job = job.id;
  const bool pool = nodes_.size() == 1 && !free_.has_devices();
  // At once, without looking at all that runs: there may be many such jobs while nodes are down.
  if (!pool && place(job.spec, nodes_, view_.cluster->whole(), nodes_to_use()).empty())
    return false;
  const bool found = !held_.empty() ? find_behind_others(job, kept, out, left)
                     : pool         ? find_first_in_pool(job, kept, out, left)
                                    : find_first(job, kept, out, left);
  if (!found) return false;
  take(left, job, out.plan);
  keep(job, out, kept, std::move(left));
  return true;
}

void PlanLedger::take(FreeTable& table, const Job& job, const Plan& plan) const {
  for (const PlannedShare& share : plan) {
    table.take(share.node, nodes_[static_cast<std::size_t>(share.node)], job.spec, share.tasks);
  }
}

void PlanLedger::keep(const Job& job, const Reservation& reservation, std::int64_t kept,
                      FreeTable left) {
  for (Held& later : held_) {
    if (begins_within(later, reservation.start_ms, job)) take(later.left, job, reservation.plan);
  }
  const auto place = std::upper_bound(
      held_.begin(), held_.end(), reservation.start_ms,
      [](WallMs at_ms, const Held& other) { return at_ms < other.reservation.start_ms; });
  held_.insert(place, {reservation, &job, std::move(left), {}, kept, usable_});
  recompute_beside();
}

void PlanLedger::recompute_beside() {
  const FreeTable* before = &free_;
  for (Held& held : held_) {
    held.beside = *before;
    held.beside.cut_to(held.left);
    before = &held.beside;
  }
  beside_cores_ = usable_cores(held_.front().beside);
}

std::vector<PlanLedger::Level> PlanLedger::levels() const {
  std::vector<Level> all = {{now_ms_, *view_.free}};
  for (const Held& held : held_) {
    Level& level = all.emplace_back(Level{held.reservation.start_ms, held.left});
    for (const Started& started : started_) {
      if (started.end_ms <= level.from_ms) continue;
      for (const PlannedShare& share : started.plan) {
        level.free.give(share.node, nodes_[static_cast<std::size_t>(share.node)], started.job->spec,
                        share.tasks);
      }
    }
  }
  return all;
}

std::vector<PlanLedger::Release> PlanLedger::releases() const {
  std::vector<Release> all;
  all.reserve(view_.running->size() + started_.size());
  auto next = started_.begin();
  const auto add_started = [&](WallMs before_ms) {
    for (; next != started_.end() && next->end_ms < before_ms; ++next) {
      all.push_back({not_past(next->end_ms), next->job, &next->plan, next->cores});
    }
  };
  view_.running->each([&](const RunningJob& running) {
    const WallMs at_ms = not_past(running.expected_end_ms);
    add_started(at_ms);
    all.push_back({at_ms, running.job, running.plan, running.cores});
  });
  add_started(std::numeric_limits<WallMs>::max());
  return all;
}

void PlanLedger::give_back(FreeTable& table, const Release& release) const {
  if (release.plan == nullptr) {
    for (const NodeShare& share : release.job->placement.shares) {
      const NodeIndex node = view_.cluster->index(share);
      if (node >= 0) table.give(node, share);
    }
    return;
  }
  for (const PlannedShare& share : *release.plan) {
    table.give(share.node, nodes_[static_cast<std::size_t>(share.node)], release.job->spec,
               share.tasks);
  }
}

// Without other reservations, what is free only grows with time. Ever larger steps until it fits,
// then back by halves.
bool PlanLedger::find_first(const Job& job, std::int64_t kept, Reservation& out,
                            FreeTable& at_start) const {
  const std::vector<Release> all = releases();
  std::vector<std::size_t> ends;  // of those at one time: as many have been given back then
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i + 1 == all.size() || all[i + 1].at_ms != all[i].at_ms) ends.push_back(i + 1);
  }
  FreeTable failed = free_;  // what is free after the first `low` ends
  std::size_t low = 0;
  std::size_t high = 0;
  const auto advance = [&](FreeTable table, std::size_t from, std::size_t to) {
    for (std::size_t i = from == 0 ? 0 : ends[from - 1]; i < ends[to - 1]; ++i) {
      give_back(table, all[i]);
    }
    return table;
  };
  for (std::size_t step = 1;; step *= 2) {
    if (low == ends.size()) return false;
    high = std::min(low + step, ends.size());
    at_start = advance(failed, low, high);
    if (!fit_beside(job, at_start, kept).empty()) break;
    failed = at_start;
    low = high;
  }
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    FreeTable table = advance(failed, low, middle);
    if (fit_beside(job, table, kept).empty()) {
      failed = std::move(table);
      low = middle;
    } else {
      at_start = std::move(table);
      high = middle;
    }
  }
  out.start_ms = all[ends[high - 1] - 1].at_ms;
  out.plan = fit(job, at_start);
  return true;
}

// The same on one node without devices, where a block of running jobs is as good as its sums.
bool PlanLedger::find_first_in_pool(const Job& job, std::int64_t kept, Reservation& out,
                                    FreeTable& at_start) const {
  const std::int64_t wanted = procs_of(job.spec) + kept;
  if (!(*usable_)[0] || wanted > view_.cluster->whole().cores(0)) return false;
  at_start = free_;
  auto next = started_.begin();
  WallMs reached_ms = now_ms_;  // all that ends until then may have been given back
  const auto fits_here = [&] {
    for (; next != started_.end() && next->end_ms <= reached_ms; ++next) {
      give_back(at_start, {0, next->job, &next->plan, next->cores});
    }
    if (at_start.cores(0) < wanted) return false;
    out.plan = fit(job, at_start);
    out.start_ms = reached_ms;
    return !out.plan.empty();
  };
  // Whether it fits at a time before `at_ms`, which is reached then.
  const auto fits_before = [&](WallMs at_ms) {
    if (fits_here()) return true;
    while (next != started_.end() && next->end_ms < at_ms) {
      reached_ms = not_past(next->end_ms);
      if (fits_here()) return true;
    }
    reached_ms = at_ms;
    return false;
  };
  for (const RunningList::Block& block : view_.running->blocks()) {
    const WallMs last_ms = not_past(block.items.back().expected_end_ms);
    if (at_start.cores(0) + block.summary.cores < wanted &&
        (next == started_.end() || next->end_ms > last_ms)) {
      at_start.give_sum(static_cast<int>(block.summary.cores), block.summary.memory_mib,
                        static_cast<int>(block.items.size()));
      reached_ms = last_ms;
      continue;
    }
    for (const RunningJob& running : block.items) {
      const WallMs at_ms = not_past(running.expected_end_ms);
      if (at_ms > reached_ms && fits_before(at_ms)) return true;
      at_start.give_sum(running.cores, running.memory_mib, 1);
    }
  }
  return fits_before(std::numeric_limits<WallMs>::max());
}

WallMs PlanLedger::end_of(const Held& held) const {
  return held.reservation.start_ms + limit_ms_of(*held.job);
}

// Whether the reserved job is to begin while one that begins at `start_ms` still runs.
bool PlanLedger::begins_within(const Held& held, WallMs start_ms, const Job& job) {
  return held.reservation.start_ms > start_ms &&
         held.reservation.start_ms < start_ms + limit_ms_of(job);
}

// The jobs reserved before this one hold their placements from their shadow times until their
// limits, so their ends are times at which this one may fit, too. If one of them begins while
// this one would still run, it must fit beside that as well.
bool PlanLedger::find_behind_others(const Job& job, std::int64_t kept, Reservation& out,
                                    FreeTable& at_start) const {
  const std::vector<Release> all = releases();
  std::set<WallMs> times;
  for (const Release& release : all) times.insert(release.at_ms);
  for (const Held& other : held_) times.insert(end_of(other));
  std::size_t given = 0;
  FreeTable free = free_;
  const std::int64_t wanted = procs_of(job.spec);
  std::int64_t cores = free_cores_;  // that are free then, or more: some may be other queues'
  for (const WallMs at_ms : times) {
    for (; given < all.size() && all[given].at_ms <= at_ms; ++given) {
      give_back(free, all[given]);
      cores += all[given].cores;
    }
    if (cores < wanted) continue;
    at_start = free;
    for (const Held& other : held_) {
      if (at_ms < other.reservation.start_ms || at_ms >= end_of(other)) continue;
      take(at_start, *other.job, other.reservation.plan);
    }
    FreeTable least = at_start;
    for (const Held& other : held_) {
      if (begins_within(other, at_ms, job)) least.cut_to(other.left);
    }
    out.plan = fit_beside(job, least, kept);
    out.start_ms = at_ms;
    if (!out.plan.empty()) return true;
  }
  return false;
}

}  // namespace hyades
