#include "policy/job_outcome_facts.hpp"

#include <algorithm>

namespace hyades {

AskedFacts asked_by(const JobSpec& spec) {
  AskedFacts asked{.uid = spec.uid,
                   .name = spec.name,
                   .queue = spec.queue,
                   .time_limit_s = spec.time_limit_s,
                   .cores = std::int64_t{spec.tasks} * spec.cpus_per_task,
                   .nodes = spec.nodes,
                   .memory_per_node_mib = spec.memory_per_node_mib,
                   .devices_per_node = 0,
                   .exclusive = spec.exclusive};
  if (asked.memory_per_node_mib == 0 && spec.memory_per_cpu_mib > 0) {
    // What a full node of it is given: its tasks there, or an equal part of all.
    const std::int64_t nodes = std::max(1, spec.nodes);
    const std::int64_t cores =
        spec.tasks_per_node > 0
            ? std::min(asked.cores, std::int64_t{spec.tasks_per_node} * spec.cpus_per_task)
            : (asked.cores + nodes - 1) / nodes;
    // Neither is more than a check of the request lets through; others' numbers may be.
    asked.memory_per_node_mib = static_cast<MiB>(
        std::min(static_cast<double>(spec.memory_per_cpu_mib) * static_cast<double>(cores), 1e15));
  }
  for (const DeviceCount& device : spec.devices_per_node) asked.devices_per_node += device.count;
  return asked;
}

}  // namespace hyades
