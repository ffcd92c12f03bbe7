// Jobs for devices, as Gavel's traces have them: what they do, for how many steps, on how many
// devices at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "hsim/device_table.hpp"

namespace hyades {

struct DeviceJob {
  DeviceWork work;
  double steps = 1;
  WallMs arrival_ms = 0;
};

struct DeviceTrace {
  std::string name;
  std::vector<DeviceJob> jobs;  // by arrival
  std::size_t unmeasured = 0;   // jobs left out: the table knows nothing of their work
  std::size_t in_file = 0;      // jobs of the file, whether they are here or not
};

// The first `most` jobs. Lines are separated by tabs: type, command, directory, name of the option
// for steps, whether it needs data, steps, devices, weight, deadline, second of arrival; or, in
// traces made of others, type, command, that option, data, steps, arrival, devices. Throws Failure.
DeviceTrace parse_device_trace(const std::string& name, const std::string& text,
                               const ThroughputTable& table, std::size_t most);

// Named after the file. Throws Failure.
DeviceTrace read_device_trace(const std::string& path, const ThroughputTable& table,
                              std::size_t most);

}  // namespace hyades
