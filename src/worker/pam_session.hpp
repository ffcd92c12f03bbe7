// What PAM says about a job's user: whether the account may be used now, and what a session of it
// is like. For a process that is root and becomes the job: what the modules set (limits, keyring,
// name spaces) is set for the caller and what it starts.
#pragma once

#include <sys/resource.h>

#include <array>
#include <string>
#include <vector>

#include "worker/pam_library.hpp"

namespace hyades {

// Whether it can be the name of a PAM service: a plain file name.
bool is_pam_service(const std::string& name);

class PamSession {
 public:
  PamSession() = default;
  PamSession(const PamSession&) = delete;  // PAM knows its address
  PamSession& operator=(const PamSession&) = delete;

  // Account, credentials, session, as `service` has it. Nobody answers a prompt. Takes as long as
  // its modules do. Returns "" or why not; then there is no session.
  std::string open(const std::string& service, const std::string& user);

  // What its modules want in the environment: "NAME=value".
  std::vector<std::string> environment();

  // The caller's limits as they were before open(), as far as they can be raised again.
  void restore_limits() const;

  // By the process that opened it or by one forked from it, but by one of them only. Returns "" or
  // what failed.
  std::string close();

 private:
  static int talk(int count, const PamMessage** messages, PamAnswer** answers, void* self);
  void hear(const PamMessage& message);
  std::string ask();
  void end(int status);
  std::string failed(const std::string& what, int status) const;

  PamLibrary library_;
  PamConversation conversation_ = {};
  PamHandle* handle_ = nullptr;
  std::string service_;
  std::string user_;
  std::string said_;  // by its modules, during the call at hand
  std::array<rlimit, RLIM_NLIMITS> limits_ = {};
};

// What of `from` is added to a job's environment. What is there already stays, and no module speaks
// for the loader (LD_*), for Hyades (HYADES_*, SLURM_*) or for an MPI.
std::vector<std::string> pam_additions(const std::vector<std::string>& from,
                                       const std::vector<std::string>& environment);

}  // namespace hyades
