// The site's own health check: a program that exits with 0 where the node is well. It runs beside
// the worker's loop, which never waits for it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/time.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

class HealthProgram {
 public:
  explicit HealthProgram(std::string node) : node_(std::move(node)) {}
  // Kills what still runs.
  ~HealthProgram();
  HealthProgram(const HealthProgram&) = delete;
  HealthProgram& operator=(const HealthProgram&) = delete;

  // Only when none runs. As the worker's user, in `/`, a process group of its own, with nothing in
  // its environment but PATH and HYADES_NODENAME. `path` is not run when others could change it.
  void start(const std::string& path, int timeout_s, BootMs now_ms);

  // Nothing while it runs; then, once, "" (well) or why the node is not: the first line that it
  // printed. What takes longer than its time-out has failed, and is killed.
  std::optional<std::string> poll(BootMs now_ms);

  // Started, and its result not taken.
  bool running() const { return running_; }

  // Kills what runs; there will be no result.
  void stop();

 private:
  void launch_when_possible();
  std::string launch();
  void read_output();
  bool reap();
  std::string verdict() const;

  std::string node_;
  std::string path_;
  bool running_ = false;
  bool launched_ = false;  // else one that was killed is not gone yet
  std::string refusal_;    // why it could not be started
  pid_t process_ = 0;      // 0: none, or it is gone and reaped
  int status_ = 0;
  int timeout_s_ = 0;
  BootMs deadline_ms_ = 0;
  UniqueFd output_;
  std::string text_;
};

}  // namespace hyades
