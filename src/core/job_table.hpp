// All jobs that have not ended (and those that ended this turn). The only code that changes a job.
#pragma once

#include <map>

#include "core/job.hpp"
#include "core/job_event.hpp"

namespace hyades {

class JobTable {
 public:
  // Applies one fact. Used for live events and for those of the store alike, so a restart cannot
  // know a different history. An event that is illegal in the job's phase is an assertion failure
  // (the table in schema/job_states.md says which are legal). Returns the job.
  const Job& replay(const JobEvent& event);

  // Drops ended jobs; the store still has them.
  void forget_ended();

  const Job* find(JobId id) const;
  const std::map<JobId, Job>& all() const { return jobs_; }
  std::size_t size() const { return jobs_.size(); }

 private:
  void apply(Job& job, const Submitted& e, const JobEvent& event);
  void apply(Job& job, const DependencySettled& e, const JobEvent& event);
  void apply(Job& job, const HoldChanged& e, const JobEvent& event);
  void apply(Job& job, const Assigned& e, const JobEvent& event);
  void apply(Job& job, const Started& e, const JobEvent& event);
  void apply(Job& job, const ScriptEnded& e, const JobEvent& event);
  void apply(Job& job, const CoresLent& e, const JobEvent& event);
  void apply(Job& job, const PowerCapped& e, const JobEvent& event);
  void apply(Job& job, const CancelRequested& e, const JobEvent& event);
  void apply(Job& job, const RequeueRequested& e, const JobEvent& event);
  void apply(Job& job, const Requeued& e, const JobEvent& event);
  void apply(Job& job, const Ended& e, const JobEvent& event);

  std::map<JobId, Job> jobs_;  // ordered: listings and replays are the same everywhere
  mutable const Job* found_last_ = nullptr;  // most questions are about the job of the one before
  std::vector<JobId> ended_;
};

}  // namespace hyades
