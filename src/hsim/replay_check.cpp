#include "hsim/replay_check.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>

namespace hyades {
namespace {

std::string job_words(const TraceJob& job) { return "job " + std::to_string(job.id); }

std::string at_words(std::int64_t second) { return "second " + std::to_string(second); }

struct Violation {
  std::int64_t at_s = 0;
  std::string text;
};

// Keeps the earliest; of several at one second, the one seen first.
void note(Violation& first, std::int64_t at_s, const std::string& text) {
  if (first.text.empty() || at_s < first.at_s) first = {at_s, text};
}

std::vector<std::size_t> by_start(const std::vector<ReplayedJob>& jobs) {
  std::vector<std::size_t> order(jobs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return jobs[a].start_s < jobs[b].start_s; });
  return order;
}

void check_capacity(const Workload& workload, const std::vector<ReplayedJob>& jobs,
                    Violation& first) {
  using End = std::pair<std::int64_t, int>;  // when, how many processors
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  std::int64_t busy = 0;
  for (const std::size_t i : by_start(jobs)) {
    const TraceJob& job = workload.jobs[i];
    const std::int64_t now_s = jobs[i].start_s;
    while (!ends.empty() && ends.top().first <= now_s) {
      busy -= ends.top().second;
      ends.pop();
    }
    busy += job.procs;
    ends.push({now_s + job.run_s, job.procs});
    if (busy > workload.procs) {
      note(first, now_s,
           "with " + job_words(job) + ", started at " + at_words(now_s) + ", " +
               std::to_string(busy) + " processors are in use and the machine has " +
               std::to_string(workload.procs));
      return;
    }
  }
}

}  // namespace

MakespanBounds makespan_bounds(const Workload& workload) {
  MakespanBounds bounds;
  if (workload.jobs.empty() || workload.procs <= 0) return bounds;
  std::vector<const TraceJob*> jobs;
  for (const TraceJob& job : workload.jobs) jobs.push_back(&job);
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const TraceJob* a, const TraceJob* b) { return a->submit_s > b->submit_s; });
  const std::int64_t begin_s = jobs.back()->submit_s;
  double work = 0;  // of the jobs from here to the log's end
  for (const TraceJob* job : jobs) {
    work += static_cast<double>(job->run_s) * job->procs;
    const auto submit_s = static_cast<double>(job->submit_s - begin_s);
    bounds.height_s = std::max(bounds.height_s, job->submit_s - begin_s + job->run_s);
    bounds.area_s = std::max(bounds.area_s, submit_s + work / workload.procs);
  }
  return bounds;
}

std::string check_makespan(const Workload& workload, std::int64_t makespan_s) {
  const MakespanBounds bounds = makespan_bounds(workload);
  const std::string made = "the last job ends " + std::to_string(makespan_s) +
                           " s after the first was submitted, and that cannot be before ";
  if (makespan_s < bounds.height_s) {
    return made + std::to_string(bounds.height_s) + " s, even if no job waited";
  }
  // Rounded in a sum of up to millions of jobs.
  if (static_cast<double>(makespan_s) < bounds.area_s * (1 - 1e-9) - 1e-6) {
    return made + std::to_string(static_cast<std::int64_t>(std::ceil(bounds.area_s))) +
           " s, even if all processors were always in use";
  }
  return "";
}

std::string check_replay(const Workload& workload, const std::vector<ReplayedJob>& jobs) {
  if (jobs.size() != workload.jobs.size()) {
    return "the replay has " + std::to_string(jobs.size()) + " jobs and the workload " +
           std::to_string(workload.jobs.size());
  }
  Violation first;
  std::int64_t begin_s = 0, end_s = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const TraceJob& job = workload.jobs[i];
    if (jobs[i].start_s < 0)
      return job_words(job) + ", submitted at " + at_words(job.submit_s) + ", was never started";
    if (jobs[i].start_s < job.submit_s) {
      note(first, jobs[i].start_s,
           job_words(job) + " was started at " + at_words(jobs[i].start_s) +
               " and submitted only at " + at_words(job.submit_s));
    }
    begin_s = i == 0 ? job.submit_s : std::min(begin_s, job.submit_s);
    end_s = std::max(end_s, jobs[i].start_s + job.run_s);
  }
  check_capacity(workload, jobs, first);
  return first.text.empty() ? check_makespan(workload, end_s - begin_s) : first.text;
}

}  // namespace hyades
