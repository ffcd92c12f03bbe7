// Jobs on a fleet of unlike devices, in virtual time, through the scheduler that the master runs:
// who starts, and, where a rule says so, where. A job takes its steps divided by the throughput on
// the slowest of its devices.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/policy.hpp"
#include "hsim/device_fleet.hpp"

namespace hyades {

// Where those start that the scheduler's first phase starts.
enum class DeviceRule {
  FirstFit,      // the kinds of servers take turns in the order of nodes
  AsNamed,       // likewise, but the fastest servers come first
  Random,        // any place with room
  FastestFirst,  // each in turn where it is fastest
  Matching,      // all together where the sum of their run times is least
  PhaseTwo,      // the scheduler's second phase
  Patient,       // likewise, and jobs wait for faster nodes, as in the master
  // Experiments, which know the jobs that wait (device_choice.hpp); prices are of devices' time.
  PricedMatching,  // as Matching, the devices' prices being added to the run times
  EarliestEnd,     // jobs start only on the kind where they end first; phase 2 says where there
  PricedChoice,    // on the kind that is worth its price to them, or if that would take too long
};
const char* name_of(DeviceRule rule);

struct DeviceOptions {
  QueueOrder order = QueueOrder::Fcfs;
  DeviceRule rule = DeviceRule::FirstFit;
  std::uint64_t seed = 1;  // of Random
  // After each event: what is taken and what is free.
  std::function<void(const Cluster&, WallMs now_ms)> look;
};

struct DeviceRun {
  WallMs start_ms = -1;
  WallMs end_ms = -1;
  std::string device;  // the slowest kind that it got
};

struct DeviceOutcome {
  std::vector<DeviceRun> runs;                 // in the order of the trace
  std::map<std::string, double> device_hours;  // by kind
  std::size_t with_a_choice = 0;               // jobs that found room on several kinds of devices
};

// Without the jobs that the fleet cannot hold, which are counted.
DeviceTrace held_by(const DeviceFleet& fleet, const ThroughputTable& table,
                    const DeviceTrace& trace, std::size_t& too_large);

// Throws Failure when a job can never start.
DeviceOutcome replay_devices(const DeviceTrace& trace, const DeviceFleet& fleet,
                             const ThroughputTable& table, const DeviceOptions& options);

struct DeviceMetrics {
  std::size_t jobs = 0;
  double completion_h = 0;  // mean, from arrival to end
  double makespan_h = 0;    // from the first arrival to the last end
  double device_hours = 0;
  double choice_share = 0;  // of jobs that found room on several kinds of devices
};
DeviceMetrics measure(const DeviceTrace& trace, const DeviceOutcome& outcome);

}  // namespace hyades
