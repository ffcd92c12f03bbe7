// Looks at the node's health as often as the configuration asks for: its own checks first, then the
// site's program.
#pragma once

#include <optional>
#include <string>

#include "core/node_settings.hpp"
#include "core/time.hpp"
#include "worker/health_program.hpp"

namespace hyades {

class HealthWatch {
 public:
  HealthWatch(std::string node, std::string spool_directory);

  // Call it often; it never waits. `clock_off_ms`: how far this clock is ahead of the master's. A
  // result once a check is over: "" or why nothing new should be started here.
  std::optional<std::string> turn(const NodeSettings& settings, WallMs clock_off_ms, BootMs now_ms);

 private:
  std::string spool_directory_;
  HealthProgram program_;
  NodeSettings settings_;  // of the check that was made last
  std::optional<BootMs> checked_ms_;
  std::string complaint_;  // of the own checks
};

}  // namespace hyades
