// Small random clusters and what happens on them: nodes with cores, memory, devices and features,
// queues that share them, jobs that ask for any of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/job_spec.hpp"
#include "core/node_profile.hpp"
#include "core/time.hpp"

namespace hyades {

struct ScenarioJob {
  JobSpec spec;
  std::size_t queue = 0;
  WallMs submit_ms = 0;
  WallMs run_ms = 1;  // beyond its limit: nobody manages to stop it for a while
  std::string avoid_node;
  bool limited = false;  // a limit of its user keeps it back until the half of all have come
};

struct ScenarioDrain {
  WallMs at_ms = 0;
  std::size_t node = 0;
};

struct Scenario {
  std::vector<Inventory> nodes;     // n1, n2, ...
  std::vector<QueueConfig> queues;  // by priority
  std::vector<ScenarioJob> jobs;    // by submission
  std::vector<ScenarioDrain> drains;
  // What nodes can do, by node, and what phase 2 is told of them and of classes; empty: there is no
  // phase 2.
  std::vector<NodeProfile> profiles;
  ClusterConfig config;
};

// What may occur in it.
struct ScenarioKind {
  int queues_max = 3;
  bool overruns = true;  // jobs past their limits
  bool drains = true;
  bool avoids = true;  // jobs that keep off a node
  bool conservative = true;
};

Scenario random_scenario(std::uint64_t seed, const ScenarioKind& kind = {});

// The same on nodes that are unlike each other, with jobs of all classes of work.
Scenario random_placement_scenario(std::uint64_t seed, const ScenarioKind& kind = {});

// For people who look for the defect.
std::string describe(const Scenario& scenario);

}  // namespace hyades
