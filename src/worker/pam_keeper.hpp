// Keeps a job's PAM session while the job lives, in a process beside it: the job's own gives up
// being root, and the shepherd runs no modules, which may hang and whose limits it would get.
//
// The keeper is a child of the shepherd, in a session and process group of its own. It closes the
// PAM session when it is told to, and by itself when the shepherd has gone.
#pragma once

#include <sys/types.h>

#include <string>

#include "wire/unique_fd.hpp"
#include "worker/pam_session.hpp"

namespace hyades {

// For the job's child, after PamSession::open(): forks the keeper, which gets `session` and
// `channel` (from PamKeeper::prepare()) and closes `other`. The caller has both still, and must not
// close the PAM session. Returns "" or what failed; the session is closed then.
std::string leave_keeper(PamSession& session, int channel, int other);

// The shepherd's side.
class PamKeeper {
 public:
  // Returns the end for the job's child, or none: errno says why.
  UniqueFd prepare();
  bool prepared() const { return static_cast<bool>(channel_); }

  // Waits for the keeper, or until nobody has the child's end any more. False: neither of it in
  // time. pid() is 0 unless there is a keeper.
  bool await(int timeout_s);
  pid_t pid() const { return pid_; }

  // Tells it to close the session. Returns "" or what failed; the process may be there still.
  // Nothing happens without a keeper.
  std::string close(const std::string& service, int timeout_s);

 private:
  UniqueFd channel_;
  pid_t pid_ = 0;
};

}  // namespace hyades
