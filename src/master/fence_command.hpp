// Cuts the power of nodes by the site's command. One process a node, none of them waited for; a
// command that takes longer than its time-out is killed and has failed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "core/config.hpp"
#include "core/ports.hpp"

namespace hyades {

class FenceCommand : public Fence {
 public:
  // `config`: the one in effect, asked for at each start.
  explicit FenceCommand(std::function<const ClusterConfig&()> config);
  // Commands that still run go on.
  ~FenceCommand() override = default;

  // Runs the configured command with the node's name as its last argument, in `/`, with nothing of
  // the master's environment but PATH, and its output in the master's log.
  void start(const std::string& node) override;
  void poll(std::vector<FenceResult>& out) override;

 private:
  struct Running {
    std::string node;
    std::string program;
    pid_t process = 0;
    BootMs deadline_ms = 0;
  };

  // Whether it has ended, or its time has; then also how.
  bool is_over(const Running& command, FenceResult& result);

  std::function<const ClusterConfig&()> config_;
  std::vector<Running> running_;
  std::vector<pid_t> killed_;         // and not reaped yet
  std::vector<FenceResult> results_;  // of those that could not be started
};

}  // namespace hyades
