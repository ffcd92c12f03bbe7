#include "master/fence_command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "wire/system_clock.hpp"

namespace hyades {

namespace {

// Its own process group, so that a time-out ends all of it. 0: errno says why.
pid_t spawn(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path, nullptr};
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t process = 0;
  const int error =
      posix_spawn(&process, words[0].c_str(), &actions, &attributes, arguments.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  errno = error;
  return error == 0 ? process : 0;
}

std::string describe(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status));
}

BootMs boot_now_ms() { return SystemClock().now().boot_ms; }

}  // namespace

FenceCommand::FenceCommand(std::function<const ClusterConfig&()> config)
    : config_(std::move(config)) {}

void FenceCommand::start(const std::string& node) {
  std::vector<std::string> words = config_().fence_command;
  if (words.empty()) {
    results_.push_back({node, false, "no fence command is configured"});
    return;
  }
  words.push_back(node);
  const pid_t process = spawn(words);
  if (process == 0) {
    results_.push_back({node, false, "cannot run " + words[0] + ": " + std::strerror(errno)});
    return;
  }
  spdlog::warn("node {} is silent and holds jobs: running {} {}", node, words[0], node);
  running_.push_back(
      {node, words[0], process, boot_now_ms() + BootMs{config_().fence_timeout_s} * 1000});
}

void FenceCommand::poll(std::vector<FenceResult>& out) {
  for (FenceResult& result : results_) out.push_back(std::move(result));
  results_.clear();
  std::erase_if(running_, [&](const Running& command) {
    int status = 0;
    const pid_t ended = waitpid(command.process, &status, WNOHANG);
    if (ended == 0 && boot_now_ms() < command.deadline_ms) return false;
    FenceResult result{command.node, false, command.program};
    if (ended == 0) {
      kill(-command.process, SIGKILL);
      waitpid(command.process, &status, 0);
      result.what += " took too long";
    } else if (ended < 0) {
      result.what += std::string(": ") + std::strerror(errno);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      result.ok = true;
    } else {
      result.what += ": " + describe(status);
    }
    spdlog::warn("fencing node {}: {}{}", command.node, result.what, result.ok ? ", done" : "");
    out.push_back(std::move(result));
    return true;
  });
}

}  // namespace hyades
