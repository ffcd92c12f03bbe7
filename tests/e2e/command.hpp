// Running programs as a user would, with what they print captured.
#pragma once

#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wire/unique_fd.hpp"

namespace hyades::test {

using Json = nlohmann::json;

struct CommandOptions {
  std::map<std::string, std::string> environment;  // on top of the test's own
  std::string directory;                           // "": the test's own
  std::string input;                               // standard input
  int timeout_ms = 60'000;                         // then it is killed
};

struct CommandResult {
  int exit_code = -1;  // -1: a signal ended it
  int signal = 0;
  bool timed_out = false;
  std::string out;
  std::string err;

  bool good() const { return exit_code == 0; }
  // What it printed as JSON; a failure of the test and null when it is none.
  Json json() const;
  // For messages of failed expectations.
  std::string text() const;
};

// A program that runs beside the test. Killed, if it still runs, when this goes away.
class RunningCommand {
 public:
  RunningCommand(const std::vector<std::string>& words, const CommandOptions& options);
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  std::string out() const;
  std::string err() const;
  // Waits for its end, at most `timeout_ms`; then it is killed.
  CommandResult finish(int timeout_ms);

 private:
  void collect();

  pid_t pid_ = 0;
  bool ended_ = false;
  int status_ = 0;
  UniqueFd out_;
  UniqueFd err_;
};

CommandResult run_command(const std::vector<std::string>& words,
                          const CommandOptions& options = {});

}  // namespace hyades::test
