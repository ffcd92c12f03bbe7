#include "master/job_history.hpp"

#include <algorithm>

namespace hyades {

namespace {

constexpr std::size_t kJobsAtOnce = 500;  // all of them would take tens of megabytes for a moment

std::vector<JobId> newest_ids(const SqliteStore& store) {
  std::vector<JobId> ids;
  const std::vector<StoredJob> newest = store.list_jobs({.limit = 1});
  if (newest.empty()) return ids;
  const JobId last = newest.front().id;
  for (JobId id = last - std::min<JobId>(last, JobHistory::jobs_most) + 1; id <= last; ++id) {
    ids.push_back(id);
  }
  return ids;
}

// Calls `add` for each of them that has ended.
template <typename Add>
void add_outcomes(const SqliteStore& store, const std::vector<JobId>& ids, const Add& add) {
  for (std::size_t from = 0; from < ids.size(); from += kJobsAtOnce) {
    const std::size_t until = std::min(from + kJobsAtOnce, ids.size());
    JobQuery query{.ended_only = true, .full_usage = true};
    query.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(from),
                     ids.begin() + static_cast<std::ptrdiff_t>(until));
    for (const StoredJob& job : store.list_jobs(query)) add(outcome_facts(job));
  }
}

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
    add_outcomes(store_, ended_, [this](const JobOutcomeFacts& facts) { history_.add(facts); });
  }
  ended_.clear();
  return history_;
}

// When there is no job yet, or the store cannot be read, the next call tries again.
void JobHistory::read_all() {
  const std::vector<JobId> ids = newest_ids(store_);
  if (ids.empty()) return;
  add_outcomes(store_, ids, [this](const JobOutcomeFacts& facts) { history_.add(facts); });
  read_ = true;
}

std::vector<JobOutcomeFacts> newest_outcomes(const SqliteStore& store) {
  std::vector<JobOutcomeFacts> outcomes;
  add_outcomes(store, newest_ids(store),
               [&](const JobOutcomeFacts& facts) { outcomes.push_back(facts); });
  return outcomes;
}

}  // namespace hyades
