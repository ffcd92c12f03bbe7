#include "master/job_history.hpp"

#include <algorithm>

namespace hyades {

namespace {

constexpr std::size_t kJobsAtOnce = 500;  // all of them would take tens of megabytes for a moment

}  // namespace

JobOutcomeFacts outcome_facts(const StoredJob& job) {
  return {.job = job.id,
          .asked = asked_by(job.spec),
          .cores = job.cores,
          .submit_ms = job.submit_ms,
          .start_ms = job.start_ms,
          .end_ms = job.end_ms,
          .outcome = job.outcome,
          .usage = job.usage};
}

void JobHistory::note(const Batch& batch) {
  if (!read_) return;  // all of them will be
  for (const JobEvent& event : batch.job_events) {
    if (std::holds_alternative<Ended>(event.what)) ended_.push_back(event.job);
  }
  if (ended_.size() <= jobs_most) return;
  // Nobody has asked for long: the newest are read again then. What is known twice is known once.
  read_ = false;
  ended_.clear();
}

const UsageHistory& JobHistory::up_to_date() {
  if (!read_) {
    read_all();
  } else {
    read(ended_);
  }
  ended_.clear();
  return history_;
}

void JobHistory::read_all() {
  const std::vector<StoredJob> newest = store_.list_jobs({.limit = 1});
  if (newest.empty()) return;  // or it cannot be read: the next call tries again
  const JobId last = newest.front().id;
  std::vector<JobId> ids;
  for (JobId id = last - std::min<JobId>(last, jobs_most) + 1; id <= last; ++id) ids.push_back(id);
  read(ids);
  read_ = true;
}

void JobHistory::read(const std::vector<JobId>& ids) {
  for (std::size_t from = 0; from < ids.size(); from += kJobsAtOnce) {
    const std::size_t until = std::min(from + kJobsAtOnce, ids.size());
    JobQuery query{.ended_only = true, .full_usage = true};
    query.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(from),
                     ids.begin() + static_cast<std::ptrdiff_t>(until));
    for (const StoredJob& job : store_.list_jobs(query)) history_.add(outcome_facts(job));
  }
}

}  // namespace hyades
