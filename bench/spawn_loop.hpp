// The floor under every job: how often a second this machine can start a program and collect it,
// two at a time, with nothing around it.
#pragma once

#include <string>
#include <vector>

namespace hyades {

// Programs a second, with `ways` threads that each start one and wait for it. `environment` holds
// NAME=value. Throws std::runtime_error when the program cannot be run or fails.
double spawn_rate(const std::string& path, const std::vector<std::string>& environment, int ways,
                  double seconds);

}  // namespace hyades
