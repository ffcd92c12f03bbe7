#include "policy/easy_pass.hpp"

#include <algorithm>
#include <cmath>

#include "core/test_hooks.hpp"
#include "policy/order.hpp"

namespace hyades {

EasyPass::EasyPass(const QueueView& queue, const ScoreSources& sources, PlanLedger& ledger,
                   Depth& depth, Decision& decision, Patience* patience)
    : queue_(queue),
      sources_(sources),
      ledger_(ledger),
      depth_(depth),
      decision_(decision),
      patience_(patience) {
  const double share = reserve_of(*queue.config);
  if (share <= 0) return;
  machine_ = ledger.usable_cores(ledger.view().cluster->whole());
  reserve_ = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(machine_)));
}

void EasyPass::run(JobId first) {
  first_ = first;
  QueueWalk walk(queue_, ledger_.view(), ledger_.now_ms(), sources_, first);
  if (!start_heads(walk) || queue_.config->backfill == Backfill::None) return;
  backfill(walk);
}

bool EasyPass::forbidden(const Job& job) {
  if (!queue_.within_limits || queue_.within_limits(job)) return false;
  decision_.limited.push_back(job.id);
  return true;
}

// Cores that must stay free beside the job when it starts.
std::int64_t EasyPass::kept_beside(const WaitingJob& waiting) const {
  if (reserve_ == 0 || waiting.id == first_ || waiting.cores + reserve_ > machine_) return 0;
  const RunForecast forecast =
      sources_.forecasts == nullptr
          ? requested_run(waiting.job->spec)
          : sources_.forecasts->forecast(*waiting.job, run_times_of(*queue_.config));
  return forecast.run_s > queue_.config->reserve_after_s ? reserve_ : 0;
}

bool EasyPass::try_start(const WaitingJob& waiting, StartReason why) {
  const Job& job = *waiting.job;
  const WallMs end_ms = ledger_.now_ms() + waiting.limit_ms;
  const bool careless = HYADES_DEFECT("ignore_reservation");
  if (!careless && ledger_.hopeless(waiting.cores, waiting.limit_ms)) return stands(job);
  const std::int64_t kept = kept_beside(waiting);
  if (kept > 0 && waiting.cores + kept > ledger_.free_cores()) {
    if (waiting.cores <= ledger_.free_cores()) decision_.kept_back.push_back(job.id);
    return stands(job);
  }
  Plan plan = careless ? ledger_.fit(job, ledger_.free()) : ledger_.fit_now(job, end_ms, kept);
  if (plan.empty()) return stands(job);
  if (patience_ != nullptr && waiting.id != first_) be_patient(job, end_ms, kept, plan);
  if (plan.empty()) {
    decision_.patient.push_back(job.id);
    return false;
  }
  if (patience_ != nullptr) patience_->started(queue_, job, plan);
  ledger_.start(job, plan, end_ms);
  decision_.starts.push_back({job.id, std::move(plan), why});
  return true;
}

// Its work is expected before that of those behind it. False: it has not started.
bool EasyPass::stands(const Job& job) {
  if (patience_ != nullptr) patience_->stands(queue_, job);
  return false;
}

// Empties the plan of a job that had better wait for faster nodes.
void EasyPass::be_patient(const Job& job, WallMs end_ms, std::int64_t kept, Plan& plan) {
  const auto fit = [&](const std::vector<char>& nodes) {
    const PlanLedger::Within within(ledger_, &nodes);
    return ledger_.fit_now(job, end_ms, kept);
  };
  patience_->choose(queue_, job, fit, plan);
}

// Until one has to wait and is reserved. False: nobody is to be looked at behind it.
bool EasyPass::start_heads(QueueWalk& walk) {
  while (const WaitingJob* const head = walk.next()) {
    if (forbidden(*head->job) || try_start(*head, StartReason::Immediate)) continue;
    if (!depth_.use()) return false;
    Reservation reservation;
    const PlanLedger::Within within(
        ledger_, patience_ == nullptr ? nullptr : patience_->nodes_for(head->id));
    if (ledger_.reserve(*head->job, reservation, kept_beside(*head))) {
      decision_.reservations.push_back(std::move(reservation));
      return true;
    }
  }
  return false;
}

// Where limits keep jobs back, each is looked at, because people want to know why it waits.
void EasyPass::backfill(QueueWalk& walk) {
  const auto hopeless = [&](std::int64_t cores, WallMs limit_ms) {
    return !queue_.within_limits && ledger_.hopeless(cores, limit_ms);
  };
  if (queue_.config->backfill == Backfill::Easy &&
      !changes_with_time(*queue_.config, sources_.forecasts_stay)) {
    while (ledger_.free_cores() > 0) {
      const WaitingJob* const candidate = walk.next(hopeless);
      if (candidate == nullptr || !look_at(*candidate)) return;
    }
    return;
  }
  // What is hopeless now stays so: this pass only takes.
  for (const ScoredJob& candidate : candidates(walk.rest(hopeless))) {
    if (ledger_.free_cores() == 0 || !look_at(*candidate.waiting)) return;
  }
}

// In the order in which they may pass the job that waits.
std::vector<ScoredJob> EasyPass::candidates(std::vector<ScoredJob> jobs) const {
  for (ScoredJob& job : jobs) {
    if (queue_.config->backfill == Backfill::EasyFcfs) job.score = 0;
    if (queue_.config->backfill == Backfill::EasySjbf) {
      job.score = static_cast<double>(job.waiting->limit_ms);
    }
  }
  std::sort(jobs.begin(), jobs.end(), comes_first);
  return jobs;
}

// False: no more are to be looked at.
bool EasyPass::look_at(const WaitingJob& candidate) {
  if (forbidden(*candidate.job) || try_start(candidate, StartReason::Backfill)) return true;
  return depth_.use();
}

}  // namespace hyades
