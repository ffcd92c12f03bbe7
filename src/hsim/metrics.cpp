#include "hsim/metrics.hpp"

#include <algorithm>
#include <cmath>

#include "core/assert.hpp"

namespace hyades {
namespace {

// A job that runs for a moment is no slower than one of ten seconds.
constexpr std::int64_t kShortestRun = 10;

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// As far as percentiles from the median on look at them.
void sort_upper_half(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  std::sort(middle, values.end());
}

}  // namespace

std::int64_t wait_of(const TraceJob& job, const ReplayedJob& replayed) {
  return replayed.start_s - job.submit_s;
}

double bounded_slowdown(std::int64_t wait_s, std::int64_t run_s) {
  return std::max(1.0, static_cast<double>(wait_s + run_s) /
                           static_cast<double>(std::max(run_s, kShortestRun)));
}

double percentile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

Metrics measure(const Workload& workload, const std::vector<ReplayedJob>& jobs) {
  HYADES_ASSERT(jobs.size() == workload.jobs.size());
  Metrics out;
  out.jobs = static_cast<std::int64_t>(jobs.size());
  if (jobs.empty()) return out;
  std::vector<double> slowdowns, waits;
  slowdowns.reserve(jobs.size());
  waits.reserve(jobs.size());
  double work = 0, turnaround = 0;
  std::int64_t first = workload.jobs.front().submit_s, last = first;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const TraceJob& job = workload.jobs[i];
    const std::int64_t wait = wait_of(job, jobs[i]);
    slowdowns.push_back(bounded_slowdown(wait, job.run_s));
    waits.push_back(static_cast<double>(wait));
    turnaround += static_cast<double>(wait + job.run_s);
    work += static_cast<double>(job.run_s) * job.procs;
    first = std::min(first, job.submit_s);
    last = std::max(last, jobs[i].start_s + job.run_s);
    if (jobs[i].why == StartReason::Backfill) ++out.backfilled;
  }
  out.avg_bsld = mean(slowdowns);
  out.avg_wait = mean(waits);
  out.avg_turnaround = turnaround / static_cast<double>(jobs.size());
  out.makespan = last - first;
  if (out.makespan > 0 && workload.procs > 0) {
    out.utilization = work / (static_cast<double>(out.makespan) * workload.procs);
  }
  sort_upper_half(slowdowns);
  sort_upper_half(waits);
  out.p50_bsld = percentile(slowdowns, .50);
  out.p95_bsld = percentile(slowdowns, .95);
  out.p99_bsld = percentile(slowdowns, .99);
  out.max_bsld = slowdowns.back();
  out.p50_wait = percentile(waits, .50);
  out.p95_wait = percentile(waits, .95);
  out.p99_wait = percentile(waits, .99);
  out.max_wait = static_cast<std::int64_t>(waits.back());
  return out;
}

}  // namespace hyades
