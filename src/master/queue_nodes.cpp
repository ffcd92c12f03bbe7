#include "master/queue_nodes.hpp"

#include <algorithm>

namespace hyades {

QueueFacts queue_nodes(const Controller& controller, const std::string& queue) {
  QueueFacts facts;
  const auto& queues = controller.config().queues;
  const auto its = std::find_if(queues.begin(), queues.end(),
                                [&](const QueueConfig& config) { return config.name == queue; });
  for (const Node& node : controller.cluster().nodes()) {
    const bool is_its =
        its == queues.end() || its->nodes.empty() ||
        std::find(its->nodes.begin(), its->nodes.end(), node.name) != its->nodes.end();
    if (!is_its || !node.schedulable()) continue;
    facts.cores += node.inventory.cores;
    facts.free_cores += node.free_cores.size();
    facts.memory_mib += node.inventory.memory_mib;
  }
  return facts;
}

}  // namespace hyades
