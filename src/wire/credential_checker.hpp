// Has MUNGE credentials decoded by a helper process, so that a MUNGE daemon that hangs makes nobody
// wait but those whose credentials they are, and these not for long. No verdict in time is none:
// who it was about stays unknown. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "wire/munge_credential.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class CredentialChecker {
 public:
  struct Options {
    std::string program;  // hyades-munge
    std::string socket;   // of the MUNGE daemon; "": MUNGE's own
    BootMs timeout_ms = 5000;
    std::size_t waiting_max = 1024;
  };

  struct Verdict {
    std::uint64_t id = 0;
    MungeVerdict verdict = MungeVerdict::Unavailable;
    MungeContent content;  // when it is Good
    std::string error;     // else
  };

  explicit CredentialChecker(Options options);
  // Ends the helper.
  ~CredentialChecker();
  CredentialChecker(const CredentialChecker&) = delete;
  CredentialChecker& operator=(const CredentialChecker&) = delete;

  // Whether MUNGE works for ourselves; waits for it, at most the time-out. "" or what is wrong.
  std::string try_out();

  // Readable when poll has something to do; an epoll instance, for nesting.
  int fd() const { return epoll_.get(); }

  // Every credential gets one verdict, by poll, at most the time-out (and poll's rhythm) later.
  void check(std::uint64_t id, std::string credential, BootMs now);
  void poll(std::vector<Verdict>& out, BootMs now);

 private:
  struct Waiting {
    std::uint64_t id;
    std::string credential;
    BootMs deadline_ms;
  };

  bool start_helper();
  void end_helper();
  void ask_next();
  void hear(std::vector<Verdict>& out);
  void give_up_late(std::vector<Verdict>& out, BootMs now);

  Options options_;
  UniqueFd epoll_;
  UniqueFd helper_;
  pid_t process_ = 0;
  bool asked_ = false;  // the helper works on the first of those that wait
  std::deque<Waiting> waiting_;
};

}  // namespace hyades
