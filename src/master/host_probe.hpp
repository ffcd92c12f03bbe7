// Asks a machine whether it can be a node now: runs `hyades-remote check` there through the launch
// agent, in the background and with a deadline.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "wire/unique_fd.hpp"

namespace hyades {

struct ProbeResult {
  bool good = false;    // it can be started
  bool served = false;  // and a worker of an earlier world, or of this one, lives there
  // How far a world that is being formed has come there: 0 nothing of it lives, 1 its orted does,
  // 2 and has connections, 3 and has started its rank.
  int progress = 0;
  std::string machine;  // names it, the same whatever it was called by; "": not known
  std::string why;      // not good: a sentence without the host's name
};

// What an agent that ended so, and printed this, has found out. `version` is ours. `exit_code` is
// -1 when it was killed by a signal, and 124 when it did not end in time.
ProbeResult read_probe(int exit_code, const std::string& out, const std::string& err,
                       const std::string& version, const std::string& program);

// The same for a `start` that failed.
std::string why_not_started(int exit_code, const std::string& err, const std::string& program);

// A command in the background, whose output is kept (its first 64 KiB). Killed, with its process
// group, when it outlasts its deadline or its owner. One thread.
class BackgroundCommand {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws std::runtime_error when there are no descriptors or processes.
  BackgroundCommand(const std::vector<std::string>& words, std::chrono::milliseconds limit);
  ~BackgroundCommand();
  BackgroundCommand(const BackgroundCommand&) = delete;
  BackgroundCommand& operator=(const BackgroundCommand&) = delete;

  // Reads what is there and looks whether it has ended. Never blocks. Call it every few dozen
  // milliseconds.
  bool finished();
  int exit_code() const { return exit_code_; }  // as for read_probe
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }

 private:
  void read_some();
  void end(int code);

  pid_t pid_ = 0;
  Clock::time_point until_;
  UniqueFd out_pipe_;
  UniqueFd err_pipe_;
  std::string out_;
  std::string err_;
  bool finished_ = false;
  int exit_code_ = -1;
};

}  // namespace hyades
