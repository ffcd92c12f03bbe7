// The master's memory of jobs that have ended, as far as they say something about others: read
// from the queue when somebody asks, brought up to date from then on.
#pragma once

#include <string>
#include <vector>

#include "core/ports.hpp"
#include "master/sqlite_store.hpp"
#include "policy/usage_history.hpp"

namespace hyades {

class JobHistory {
 public:
  // So many jobs are read at most, the newest: the master does nothing else for a quarter of a
  // second then.
  static constexpr std::size_t jobs_most = 5'000;

  // `store` must outlive this.
  explicit JobHistory(const SqliteStore& store) : store_(store) {}

  // Notes which jobs have ended; reads nothing.
  void note(const Batch& batch);

  // With all that have ended until now. The first call reads up to jobs_most jobs.
  const UsageHistory& up_to_date();

 private:
  void read_all();

  const SqliteStore& store_;
  UsageHistory history_;
  bool read_ = false;
  std::vector<JobId> ended_;  // since the last look
};

// Of the newest JobHistory::jobs_most jobs, those that have ended; fewer, or none, when the store
// cannot be read.
std::vector<JobOutcomeFacts> newest_outcomes(const SqliteStore& store);

JobOutcomeFacts outcome_facts(const StoredJob& job);

}  // namespace hyades
