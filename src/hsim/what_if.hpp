// What would have become of the jobs of a log under one configuration, and under another.
#pragma once

#include <string>

#include "cli/command.hpp"
#include "hsim/replay.hpp"
#include "hsim/wait_comparison.hpp"
#include "trace/clean_ups.hpp"

namespace hyades {

// A log and the names that it knows.
struct NamedLog {
  Workload workload;
  std::map<int, std::string> queues;
  std::map<int, std::string> users;
  CleanUps clean_ups;
  std::vector<TraceJob> earlier = {};  // that the log has before the first of the workload
};

// Throws Failure when the replay cannot be true, or refuses jobs: which, why, and how many. `name`:
// of the configuration, for messages.
Replay schedule(const NamedLog& log, const std::string& name, const ClusterConfig& config);

// Says on stderr how many jobs name queues that the configuration has not, if any does.
void say_strangers(const Command& command, const NamedLog& log, const std::string& name,
                   const ClusterConfig& config);

// Replays the log under both (two threads) and prints who waits longer or shorter, as a table or as
// JSON. `picture`: where queue lengths and utilization go as an SVG; "": nowhere. Throws Failure.
void print_what_if(const Command& command, const NamedLog& log, const std::string& before_name,
                   const ClusterConfig& before, const std::string& after_name,
                   const ClusterConfig& after, const std::string& picture);

}  // namespace hyades
