// Every rule on every trace and every fleet.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hsim/device_replay.hpp"

namespace hyades {

struct DeviceRow {
  std::string fleet, trace, order, rule;
  std::size_t left_out = 0;  // jobs of the trace that the fleet cannot hold
  DeviceMetrics metrics;
  std::map<std::string, double> device_hours;
};

struct DeviceStudy {
  std::vector<DeviceTrace> traces;
  std::vector<DeviceFleet> fleets;
  std::vector<QueueOrder> orders;
  std::uint64_t seed = 1;
};

// In the order of the tables. `progress` is told how many replays of how many are done.
std::vector<DeviceRow> study_devices(
    const DeviceStudy& study, const ThroughputTable& table,
    const std::function<void(std::size_t done, std::size_t all)>& progress);

inline constexpr const char* kHomogeneous = "homogeneous fleet";
inline constexpr const char* kAnyOrder = "any";  // of rules that have none

// What all others are compared with: the same order, blind.
const DeviceRow* blind_row(const std::vector<DeviceRow>& rows, const DeviceRow& beside);

}  // namespace hyades
