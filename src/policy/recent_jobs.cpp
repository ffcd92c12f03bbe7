#include "policy/recent_jobs.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

namespace hyades {
namespace {

// `jobs` from the oldest to the newest.
double weighted_mean(std::span<const PastJob> jobs, const auto& value_of) {
  double sum = 0;
  double weights = 0;
  double weight = 1;
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job, weight *= RecentJobs::fading) {
    const double value = value_of(*job);
    if (std::isnan(value)) continue;
    sum += weight * value;
    weights += weight;
  }
  return weights > 0 ? sum / weights : std::numeric_limits<double>::quiet_NaN();
}

double spread(std::span<const PastJob> jobs, double mean) {
  if (std::isnan(mean)) return 0;
  return std::sqrt(weighted_mean(jobs, [&](const PastJob& job) {
    const double off = job.figure(PastFigure::Ratio) - mean;
    return off * off;
  }));
}

}  // namespace

void RecentJobs::add(const PastJob& job) {
  const auto key = [](const PastJob& past) { return std::tie(past.end_ms, past.job); };
  const auto at =
      std::lower_bound(jobs_.begin(), jobs_.end(), job,
                       [&](const PastJob& a, const PastJob& b) { return key(a) < key(b); });
  if (at != jobs_.end() && key(*at) == key(job)) return;
  jobs_.insert(at, job);
  if (jobs_.size() > kept) jobs_.erase(jobs_.begin());
}

RecentSummary RecentJobs::look(WallMs now_ms) const {
  const auto end = std::lower_bound(jobs_.begin(), jobs_.end(), now_ms,
                                    [](const PastJob& a, WallMs t) { return a.end_ms < t; });
  RecentSummary summary;
  summary.jobs = std::min(used, static_cast<int>(end - jobs_.begin()));
  if (summary.jobs == 0) return summary;
  const std::span<const PastJob> seen(end - summary.jobs, end);
  summary.last = seen.back();
  summary.before = seen.size() > 1 ? seen[seen.size() - 2] : seen.back();
  summary.last_end_ms = summary.last.end_ms;
  for (std::size_t i = 0; i < past_figures; ++i) {
    summary.means[i] = weighted_mean(seen, [&](const PastJob& job) { return job.figures[i]; });
  }
  summary.ratio_spread = spread(seen, summary.mean(PastFigure::Ratio));
  return summary;
}

}  // namespace hyades
