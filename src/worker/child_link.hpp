// A shepherd's line to the process that becomes its job: forks it, hears how far its preparation
// (job_child.hpp) has come, and lets it go. Beside it the keeper of the job's PAM session.
#pragma once

#include <sys/types.h>

#include "wire/unique_fd.hpp"
#include "worker/child_word.hpp"
#include "worker/job_processes.hpp"
#include "worker/launch_record.hpp"
#include "worker/pam_keeper.hpp"
#include "worker/surroundings.hpp"

namespace hyades {

class ChildLink {
 public:
  // The first half of fork_child(), apart because what fails here has left nothing behind. False:
  // errno says why.
  bool open();
  // Returns the child, or -1: errno says why. `group` as run_job_child() takes it.
  pid_t fork_child(const LaunchRecord& launch, const std::string& group,
                   Surroundings& surroundings);

  // Waits until the child is ready or has failed, and which of it is in `word`; `processes` learn
  // of the keeper. False: it hangs.
  bool await(const LaunchRecord& launch, JobProcesses& processes, ChildWord& word);
  // The child that is ready becomes the job.
  void let_go();
  // True when there is a word from behind that: why it did not become the job after all.
  bool last_word(ChildWord& word);

  PamKeeper& keeper() { return keeper_; }

 private:
  bool await_session(const LaunchRecord& launch, JobProcesses& processes);
  bool await_word(const LaunchRecord& launch, ChildWord& word);

  UniqueFd channel_;
  UniqueFd child_end_;
  PamKeeper keeper_;
};

// Which file system or module a child hangs in that has not come back.
std::string hang_of(const LaunchRecord& launch, pid_t child);

}  // namespace hyades
