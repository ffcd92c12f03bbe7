// The processes of a job, as its shepherd sees them: everything below itself. The kernel gives the
// shepherd every orphan (it is their subreaper), so nothing of the job gets out of sight while the
// shepherd lives. For a process that has no other children.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/exit_record.hpp"
#include "core/time.hpp"
#include "wire/unique_fd.hpp"
#include "worker/containment.hpp"
#include "worker/process_table.hpp"

namespace hyades {

class JobProcesses {
 public:
  // `signals`: a signalfd for SIGCHLD; it must be open by the time of kill_rest().
  explicit JobProcesses(const UniqueFd& signals) : signals_(signals) {}

  // The process that the job begins with.
  void set_first(pid_t first) { first_ = first; }
  pid_t first() const { return first_; }
  bool first_over() const { return first_over_; }
  int first_status() const { return first_status_; }  // of wait4

  // The control group that all of them are in; both must outlive this.
  void set_group(Containment& containment, const std::string& group);

  // A child that is not the job's (pam_keeper.hpp), with what is below it: neither signalled nor
  // counted nor waited for, until end_keeper() kills it. 0: none.
  void set_keeper(pid_t keeper) { keeper_ = keeper; }
  // Once nothing else is left. Waits for it, `most_ms` at most.
  void end_keeper(BootMs most_ms);

  // Collects whatever has ended.
  void reap();
  // True when the last reap() found that no process is left.
  bool none_left() const { return none_left_; }
  // Over all that were collected.
  Usage usage() const;

  // To every process.
  void signal_all(int signal);
  // To every process but the first, or to the first when there is no other, or `first_only`.
  // SIGKILL goes to all of them.
  void signal_programs(int signal, bool first_only);

  // Lets those end that are about to: returns when none is left, or after `most_ms`.
  void settle(BootMs most_ms);
  // Returns how many had to be killed, when not one process is left; the agents of an mpirun that
  // has ended do not count.
  int kill_rest();
  // Until one has ended, `most_ms` at most. Swallows what else `signals` says.
  void await_children(BootMs most_ms);

 private:
  void account(const rusage& usage);
  bool only_keeper_left() const;
  std::vector<Process> members() const;
  void kill_group();

  const UniqueFd& signals_;
  Containment* containment_ = nullptr;
  const std::string* group_ = nullptr;
  pid_t first_ = 0;
  pid_t keeper_ = 0;
  int first_status_ = 0;
  bool first_over_ = false;
  bool none_left_ = false;
  rusage usage_ = {};
};

}  // namespace hyades
