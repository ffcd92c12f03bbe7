#include "policy/age_guard.hpp"

#include <algorithm>

namespace hyades {

void AgeGuard::configure(const GuardSettings& settings, int depth) {
  settings_ = settings;
  twin_.configure(depth);
}

void AgeGuard::waits(const Job& job, WallMs at_ms) {
  remember(job, at_ms);
  twin_.waits(job, at_ms);
}

void AgeGuard::remember(const Job& job, WallMs since_ms) {
  leaves(job);
  since_[job.id] = since_ms;
  by_age_[job.spec.queue].emplace(std::pair(since_ms, job.id), &job);
}

void AgeGuard::leaves(const Job& job) {
  const auto found = since_.find(job.id);
  if (found == since_.end()) return;
  by_age_[job.spec.queue].erase({found->second, job.id});
  since_.erase(found);
}

void AgeGuard::forget() {
  since_.clear();
  by_age_.clear();
  twin_.forget();
  known_ = false;
}

// After a restart it is not known how long a job was held: its submission counts, or the end of its
// last delay.
void AgeGuard::look(const std::vector<QueueView>& queues, const ClusterView& cluster, WallMs now_ms,
                    const ExpectedRun& expected) {
  if (!known_) {
    known_ = true;
    for (const QueueView& queue : queues) {
      queue.waiting->each([&](const WaitingJob& waiting) {
        const Job& job = *waiting.job;
        if (since_.contains(job.id)) return;
        remember(job, std::max(job.submitted_ms, job.not_before_ms));
      });
    }
  }
  const auto since = [this](const Job& job) {
    const auto found = since_.find(job.id);
    return found == since_.end() ? job.submitted_ms : found->second;
  };
  twin_.advance(queues, cluster, now_ms, since, expected);
}

// How long a job may wait before it is over age.
double AgeGuard::most_ms(const QueueView& queue) const {
  const double longest = static_cast<double>(twin_.longest_wait_ms(queue.config->name));
  const double factor = guard_factor(settings_, run_times_of(*queue.config));
  return std::max(settings_.after_s * 1000.0, factor * longest);
}

WallMs AgeGuard::over_age_ms(const QueueView& queue, const Job& job) const {
  const auto since = since_.find(job.id);
  const WallMs since_ms = since == since_.end() ? job.submitted_ms : since->second;
  return since_ms + static_cast<WallMs>(most_ms(queue));
}

JobId AgeGuard::urgent(const QueueView& queue, const Cluster& cluster, WallMs now_ms) const {
  const auto found = by_age_.find(queue.config->name);
  if (found == by_age_.end()) return 0;
  const double most = most_ms(queue);
  for (const auto& [age, job] : found->second) {
    if (static_cast<double>(now_ms - age.first) <= most) return 0;
    if (queue.within_limits && !queue.within_limits(*job)) continue;
    if (!place(job->spec, cluster.nodes(), cluster.whole(), queue.usable).empty()) return job->id;
  }
  return 0;
}

}  // namespace hyades
