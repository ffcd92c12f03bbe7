// What a node's numbers say about its health: rules without I/O, and the I/O that finds the
// numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/node_settings.hpp"
#include "core/time.hpp"

namespace hyades {

struct FreeSpace {
  std::string place;  // a directory, as people know it
  MiB free_mib = 0;
  bool read_only = false;
};

// What could not be read is left out, and is no reason to complain.
struct HealthFacts {
  std::vector<FreeSpace> space;
  std::optional<MiB> memory_available_mib;
  std::optional<double> load;  // average of the last 15 minutes
  int cores = 1;               // of the whole machine, which the load is of
  WallMs clock_off_ms = 0;     // ahead of the master's clock; negative: behind
};

// "" or what is wrong, for people. It names limits and not amounts: as long as the same is wrong
// the words are the same, and nothing new has to be stored.
std::string judge_health(const HealthFacts& facts, const NodeSettings& settings);

// `directories` should not be on file systems that can hang. `meminfo` and `loadavg`: the files of
// /proc, or a test's.
HealthFacts measure_health(const std::vector<std::string>& directories,
                           const std::string& meminfo = "/proc/meminfo",
                           const std::string& loadavg = "/proc/loadavg");

}  // namespace hyades
