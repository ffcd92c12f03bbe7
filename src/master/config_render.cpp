#include "master/config_render.hpp"

#include <sstream>

#include "core/hostlist.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

// Names are checked words: nothing in them needs escaping.
std::string quoted(const std::string& text) { return "\"" + text + "\""; }

template <typename T, typename F>
std::string list(const std::vector<T>& values, F render) {
  std::string out = "[";
  for (const T& value : values) out += (out.size() > 1 ? ", " : "") + render(value);
  return out + "]";
}

// What parse_duration_s reads; below an hour squeue's form would be minutes and seconds, too.
std::string duration(int seconds) { return quoted(format_duration(seconds)); }

void render_cluster(std::ostream& out, const ClusterConfig& config) {
  out << "[cluster]\n"
      << "name = " << quoted(config.name) << "\n"
      << "heartbeat_ms = " << config.heartbeat_ms << "\n"
      << "node_timeout_ms = " << config.node_timeout_ms << "\n"
      << "resend_ms = " << config.resend_ms << "\n"
      << "kill_grace_s = " << config.kill_grace_s << "\n"
      << "max_restarts = " << config.max_restarts << "\n"
      << "max_launch_failures = " << config.max_launch_failures << "\n"
      << "max_node_faults = " << config.max_node_faults << "\n"
      << "backfill_depth = " << config.backfill_depth << "\n";
}

void render_nodes(std::ostream& out, const std::vector<std::string>& names,
                  const Inventory& inventory) {
  out << "\n[[node]]\nname = " << quoted(compress_hostlist(names)) << "\n";
  if (inventory.cores != 0) out << "cores = " << inventory.cores << "\n";
  if (inventory.memory_mib != 0) {
    out << "memory = " << quoted(format_memory(inventory.memory_mib)) << "\n";
  }
  if (!inventory.devices.empty()) {
    out << "devices = {";
    const char* separator = " ";
    for (const DeviceCount& device : inventory.devices) {
      out << separator << quoted(device.kind) << " = " << device.count;
      separator = ", ";
    }
    out << " }\n";
  }
  if (!inventory.features.empty()) out << "features = " << list(inventory.features, quoted) << "\n";
}

void render_queue(std::ostream& out, const QueueConfig& queue) {
  out << "\n[[queue]]\n"
      << "name = " << quoted(queue.name) << "\n";
  if (!queue.nodes.empty()) out << "nodes = " << quoted(compress_hostlist(queue.nodes)) << "\n";
  out << "priority = " << queue.priority << "\n"
      << "default_time = " << duration(queue.default_time_s) << "\n"
      << "max_time = " << duration(queue.max_time_s) << "\n"
      << "max_nodes_per_job = " << queue.max_nodes_per_job << "\n"
      << "max_queued_per_user = " << queue.max_queued_per_user << "\n"
      << "max_running_per_user = " << queue.max_running_per_user << "\n"
      << "max_cores_per_user = " << queue.max_cores_per_user << "\n"
      << "enabled = " << (queue.enabled ? "true" : "false") << "\n"
      << "policy = " << quoted(queue.policy) << "\n"
      << "backfill = " << quoted(queue.backfill) << "\n";
}

}  // namespace

std::string render_config(const ClusterConfig& config) {
  std::ostringstream out;
  render_cluster(out, config);
  // Neighbours that are alike share an entry.
  for (std::size_t i = 0; i < config.nodes.size();) {
    std::vector<std::string> names;
    const std::size_t first = i;
    while (i < config.nodes.size() && config.nodes[i].inventory == config.nodes[first].inventory) {
      names.push_back(config.nodes[i++].name);
    }
    render_nodes(out, names, config.nodes[first].inventory);
  }
  for (const QueueConfig& queue : config.queues) render_queue(out, queue);
  const auto number = [](std::uint32_t uid) { return std::to_string(uid); };
  out << "\n[security]\n"
      << "admins = " << list(config.admin_uids, number) << "\n"
      << "operators = " << list(config.operator_uids, number) << "\n";
  return out.str();
}

}  // namespace hyades
