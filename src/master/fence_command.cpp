#include "master/fence_command.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "wire/plain_child.hpp"
#include "wire/system_clock.hpp"

namespace hyades {

namespace {

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
  pid_t process = 0;
  if (const int error = hyades::start({.words = words, .environment = {}}, process); error != 0) {
    results_.push_back({node, false, "cannot run " + words[0] + ": " + std::strerror(error)});
    return;
  }
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  spdlog::warn("node {} is silent and holds jobs: running {}", node, line);
  running_.push_back(
      {node, words[0], process, boot_now_ms() + BootMs{config_().fence_timeout_s} * 1000});
}

void FenceCommand::poll(std::vector<FenceResult>& out) {
  for (FenceResult& result : results_) out.push_back(std::move(result));
  results_.clear();
  std::erase_if(killed_, [](pid_t process) { return waitpid(process, nullptr, WNOHANG) != 0; });
  std::erase_if(running_, [&](const Running& command) {
    FenceResult result{command.node, false, command.program};
    if (!is_over(command, result)) return false;
    spdlog::warn("fencing node {}: {}{}", command.node, result.what, result.ok ? ", done" : "");
    out.push_back(std::move(result));
    return true;
  });
}

bool FenceCommand::is_over(const Running& command, FenceResult& result) {
  int status = 0;
  const pid_t ended = waitpid(command.process, &status, WNOHANG);
  if (ended < 0) {
    result.what += std::string(": ") + std::strerror(errno);
  } else if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    result.ok = true;
  } else if (ended > 0) {
    result.what += ": " + end_text(status);
  } else if (boot_now_ms() < command.deadline_ms) {
    return false;
  } else {
    // It may hang in the kernel, beside a power switch that does not answer: not waited for.
    kill(-command.process, SIGKILL);
    killed_.push_back(command.process);
    result.what += " took too long";
  }
  return true;
}

}  // namespace hyades
