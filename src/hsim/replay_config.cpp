#include "hsim/replay_config.hpp"

#include "cli/failure.hpp"
#include "hsim/replay.hpp"
#include "master/config_file.hpp"

namespace hyades {

ClusterConfig replay_config(const std::string& path, int procs) {
  ConfigResult result = load_config(path, true);
  if (result.config) return replay_config(std::move(*result.config), path, procs);
  std::string mistakes;
  for (const std::string& error : result.errors) mistakes += (mistakes.empty() ? "" : "\n") + error;
  throw Failure(mistakes);
}

ClusterConfig replay_config(ClusterConfig config, const std::string& name, int procs) {
  if (config.nodes.empty()) {
    config.nodes = pool_of(procs, QueueOrder::Fcfs, Backfill::Easy).nodes;
    for (QueueConfig& queue : config.queues) queue.nodes.clear();
  }
  for (NodeConfig& node : config.nodes) {
    if (node.inventory.cores == 0) {
      throw Failure(name + ": node '" + node.name +
                    "' has no cores in the file, and there is no worker to count them; say "
                    "cores = N in its [[node]]");
    }
    if (node.inventory.memory_mib == 0) node.inventory.memory_mib = 1;
  }
  return config;
}

int procs_of(const ClusterConfig& config) {
  int procs = 0;
  for (const NodeConfig& node : config.nodes) procs += node.inventory.cores;
  return procs;
}

}  // namespace hyades
