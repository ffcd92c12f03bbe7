#include "policy/conservative_pass.hpp"

#include <algorithm>

namespace hyades {

void ConservativePass::run(JobId first) {
  if (ledger_.free_cores() == 0) return;
  build_profile();
  QueueWalk walk(queue_, ledger_.view(), ledger_.now_ms(), sources_, first);
  bool waits = false;  // one that is reserved does
  while (segments_.front().cores > 0) {
    const WaitingJob* const waiting = walk.next();
    if (waiting == nullptr) return;
    const Job& job = *waiting->job;
    if (queue_.within_limits && !queue_.within_limits(job)) {
      decision_.limited.push_back(job.id);
      continue;
    }
    Slot slot = find(*waiting);
    if (slot.plan.empty()) continue;  // no set of nodes can ever hold it
    const WallMs begin_ms = segments_[slot.first].begin_ms;
    const WallMs end_ms = begin_ms + waiting->limit_ms;
    if (begin_ms > ledger_.now_ms()) {
      if (!depth_.use()) return;
      if (Reservation same; !waits) ledger_.reserve(job, same);
      decision_.reservations.push_back({job.id, begin_ms, slot.plan});
      waits = true;
    } else {
      decision_.starts.push_back(
          {job.id, slot.plan, waits ? StartReason::Backfill : StartReason::Immediate});
      ledger_.start(job, slot.plan, end_ms);
    }
    book(job, slot.plan, begin_ms, end_ms);
  }
}

void ConservativePass::build_profile() {
  const auto add = [&](WallMs at_ms, FreeTable free) {
    segments_.push_back({at_ms, std::move(free), 0});
  };
  add(ledger_.now_ms(), ledger_.free());
  for (const PlanLedger::Release& release : ledger_.releases()) {
    if (release.at_ms != segments_.back().begin_ms) add(release.at_ms, segments_.back().free);
    ledger_.give_back(segments_.back().free, release);
  }
  for (Segment& segment : segments_) segment.cores = ledger_.usable_cores(segment.free);
  ledger_.each_reservation([&](const Job& job, const Reservation& reservation) {
    book(job, reservation.plan, reservation.start_ms, reservation.start_ms + limit_ms_of(job));
  });
}

// Where the job fits without a break for as long as it may run, on the same nodes.
ConservativePass::Slot ConservativePass::find(const WaitingJob& waiting) const {
  Slot slot;
  while (slot.first < segments_.size()) {
    const std::size_t blocked = blocked_until(waiting, slot.first);
    if (blocked != slot.first) {
      slot.first = blocked;
      continue;
    }
    // Where it does not fit at first, what comes later need not be looked at.
    if (ledger_.fit(*waiting.job, segments_[slot.first].free).empty()) {
      ++slot.first;
      continue;
    }
    FreeTable least = segments_[slot.first].free;
    const WallMs end_ms = segments_[slot.first].begin_ms + waiting.limit_ms;
    for (std::size_t i = slot.first + 1; i < segments_.size() && segments_[i].begin_ms < end_ms;
         ++i) {
      least.cut_to(segments_[i].free);
    }
    slot.plan = ledger_.fit(*waiting.job, least);
    if (!slot.plan.empty()) return slot;
    ++slot.first;
  }
  return slot;
}

std::size_t ConservativePass::blocked_until(const WaitingJob& waiting, std::size_t first) const {
  const WallMs end_ms = segments_[first].begin_ms + waiting.limit_ms;
  for (std::size_t i = first; i < segments_.size() && segments_[i].begin_ms < end_ms; ++i) {
    if (segments_[i].cores < waiting.cores) return i + 1;
  }
  return first;
}

void ConservativePass::book(const Job& job, const Plan& plan, WallMs begin_ms, WallMs end_ms) {
  const std::size_t first = split_at(begin_ms);
  const std::size_t end = split_at(end_ms);  // behind `first`: that stays where it is
  for (std::size_t i = first; i < end; ++i) {
    for (const PlannedShare& share : plan) {
      const Node& node = ledger_.view().cluster->nodes()[static_cast<std::size_t>(share.node)];
      segments_[i].free.take(share.node, node, job.spec, share.tasks);
    }
    segments_[i].cores = ledger_.usable_cores(segments_[i].free);
  }
}

// The segment that begins then, made if need be.
std::size_t ConservativePass::split_at(WallMs at_ms) {
  const auto next =
      std::upper_bound(segments_.begin(), segments_.end(), at_ms,
                       [](WallMs at, const Segment& other) { return at < other.begin_ms; });
  const auto at = static_cast<std::size_t>(next - segments_.begin()) - 1;
  if (segments_[at].begin_ms == at_ms) return at;
  Segment part = segments_[at];
  part.begin_ms = at_ms;
  segments_.insert(next, std::move(part));
  return at + 1;
}

}  // namespace hyades
