// A fleet of servers with devices of several kinds, as the scheduler sees it: nodes that were
// measured, and a class of work for each kind of job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cluster.hpp"
#include "core/config.hpp"
#include "hsim/device_trace.hpp"

namespace hyades {

inline constexpr const char* kDeviceKind = "gpu";

struct FleetPart {
  std::string device;  // "v100"
  int count = 0;       // of devices, not of servers
};

struct DeviceFleet {
  std::vector<FleetPart> parts;
  int per_node = 4;  // devices of a server

  int total() const;
  std::string text() const;  // "v100:12+p100:12+k80:12"
};

// "v100:12+p100:12+k80:12". Throws Failure.
DeviceFleet parse_fleet(const std::string& text, int per_node, const ThroughputTable& table);
// As many devices, all of the kind on which most of the table's work is fastest.
DeviceFleet homogeneous(const DeviceFleet& fleet, const ThroughputTable& table);

// First fit goes by the order of nodes.
enum class NodeOrder {
  Mixed,   // the kinds take turns
  AsNamed  // kind by kind, as the fleet names them
};
// The kind of each server's devices.
std::vector<FleetPart> servers_of(const DeviceFleet& fleet, NodeOrder order);

// What a job asks for: one server if one holds it, else as few as there must be, each with as many
// of its devices. Its time limit is its run time on the slowest devices that it fits on, and it
// stays off those that it does not fit on. Nothing: the fleet cannot hold it.
std::optional<JobSpec> device_spec(const DeviceJob& job, const DeviceFleet& fleet,
                                   const std::vector<FleetPart>& servers,
                                   const ThroughputTable& table);
std::string device_node_name(std::size_t index);  // of servers_of()

// Milliseconds that it takes where all its devices are of that kind; nothing: it does not fit.
std::optional<WallMs> run_ms_on(const std::string& device, const DeviceJob& job,
                                const DeviceFleet& fleet, const ThroughputTable& table);

ClusterConfig device_config(const DeviceTrace& trace, QueueOrder order);
Cluster device_cluster(const DeviceTrace& trace, const DeviceFleet& fleet,
                       const std::vector<FleetPart>& servers, const ThroughputTable& table);

}  // namespace hyades
