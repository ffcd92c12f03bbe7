// Writes jobs and their events. Called inside of a transaction; throws SqliteError, after which
// the transaction must be rolled back.
#pragma once

#include <optional>

#include "core/job_event.hpp"
#include "core/ports.hpp"
#include "master/sqlite.hpp"

namespace hyades {

class JobRows {
 public:
  // `database` must outlive this.
  explicit JobRows(const Database& database);

  // Appends the event and brings the job's row up to date. `origin` is the submission that a
  // Submitted event belongs to, else nullptr. An event of a job that does not exist or has ended
  // is an error (SQLITE_CONSTRAINT): somebody's memory differs from the queue.
  void append(const JobEvent& event, const NewJob* origin, Epoch epoch);

  // Nothing when there is none; throws when what is stored is not what was stored.
  std::optional<JobPayload> payload(JobId job) const;

 private:
  void insert(const JobEvent& event, const Submitted& submitted, const NewJob* origin);
  void insert_payload(JobId job, const JobPayload& payload);
  void update(const JobEvent&, const Submitted&) {}
  void expect_live(JobId job);
  void update(const JobEvent& event, const DependencySettled& e);
  void update(const JobEvent& event, const HoldChanged& e);
  void update(const JobEvent& event, const Assigned& e);
  void update(const JobEvent& event, const Started& e);
  void update(const JobEvent& event, const ScriptEnded& e);
  void update(const JobEvent& event, const CoresLent& e);
  void update(const JobEvent& event, const PowerCapped& e);
  void update(const JobEvent& event, const CancelRequested& e);
  void update(const JobEvent& event, const RequeueRequested& e);
  void update(const JobEvent& event, const Requeued& e);
  void update(const JobEvent& event, const Ended& e);
  void set_reason(JobId job, const std::string& reason);

  Statement insert_job_;
  Statement insert_payload_;
  Statement insert_event_;
  Statement find_live_;
  Statement set_held_;
  Statement set_assigned_;
  Statement set_started_;
  Statement set_reason_;
  Statement set_requeued_;
  Statement set_ended_;
  Statement select_payload_;
};

}  // namespace hyades
