#include "cli/node_columns.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "cli/times.hpp"
#include "core/hostlist.hpp"
#include "core/units.hpp"

namespace hyades {
namespace {

Colour node_colour(const pb::NodeInfo& node) {
  if (!node.responding() || node.state() == "down") return Colour::Red;
  if (node.state() == "drained" || node.state() == "draining") return Colour::Yellow;
  return node.state() == "idle" ? Colour::Green : Colour::None;
}

std::string limit_text(int seconds) { return seconds > 0 ? format_duration(seconds) : "infinite"; }

std::string count_text(int count) { return count > 0 ? std::to_string(count) : "-"; }

bool in_queue(const pb::NodeInfo& node, const std::string& queue) {
  return std::find(node.queues().begin(), node.queues().end(), queue) != node.queues().end();
}

template <typename Repeated>
std::string joined(const Repeated& list) {
  std::string text;
  for (const auto& word : list) text += (text.empty() ? "" : ",") + word;
  return text.empty() ? "-" : text;
}

std::string device_text(const pb::Inventory& inventory) {
  std::string text;
  for (const pb::DeviceCount& device : inventory.devices()) {
    text += (text.empty() ? "" : ",") + device.kind() + ":" + std::to_string(device.count());
  }
  return text.empty() ? "-" : text;
}

}  // namespace

std::string node_state_text(const pb::NodeInfo& node) {
  return node.responding() ? node.state() : node.state() + "*";
}

Table queue_summary(const QueueList& queues, const NodeList& nodes) {
  Table table({{"QUEUE", false, 6},
               {"AVAIL"},
               {"TIMELIMIT", true},
               {"NODES", true},
               {"STATE"},
               {"NODELIST", false, 10}});
  for (const pb::QueueInfo& queue : queues) {
    const std::string name = queue.name() + (queue.is_default() ? "*" : "");
    const std::string avail = queue.enabled() ? "up" : "inactive";
    const std::string limit = limit_text(queue.max_time_s());
    std::map<std::string, std::pair<std::vector<std::string>, Colour>> by_state;
    for (const pb::NodeInfo& node : nodes) {
      if (!in_queue(node, queue.name())) continue;
      auto& [names, colour] = by_state[node_state_text(node)];
      names.push_back(node.name());
      colour = node_colour(node);
    }
    if (by_state.empty()) table.add({name, avail, limit, "0", "n/a", ""});
    for (const auto& [state, group] : by_state) {
      table.add({name,
                 avail,
                 limit,
                 std::to_string(group.first.size()),
                 {state, group.second},
                 compress_hostlist(group.first)});
    }
  }
  return table;
}

Table node_table(const NodeList& nodes) {
  Table table({{"NODE"},
               {"STATE"},
               {"QUEUES", false, 6},
               {"CORES", true},
               {"FREE", true},
               {"MEMORY", true},
               {"FREEMEM", true},
               {"JOBS", true},
               {"DEVICES", false, 7},
               {"FEATURES", false, 8}});
  for (const pb::NodeInfo& node : nodes) {
    table.add({node.name(),
               {node_state_text(node), node_colour(node)},
               joined(node.queues()),
               std::to_string(node.inventory().cores()),
               std::to_string(node.free_cores()),
               format_memory(node.inventory().memory_mib()),
               format_memory(node.free_memory_mib()),
               std::to_string(node.jobs()),
               device_text(node.inventory()),
               joined(node.inventory().features())});
  }
  return table;
}

Table drain_table(const NodeList& nodes) {
  Table table({{"REASON", false, 20}, {"USER"}, {"SINCE"}, {"NODELIST", false, 10}});
  using Key = std::tuple<std::int64_t, std::string, std::string>;
  std::map<Key, std::vector<std::string>> groups;
  for (const pb::NodeInfo& node : nodes) {
    if (node.drained_ms() != 0 || !node.reason().empty()) {
      groups[{node.drained_ms(), node.reason(), node.drained_by()}].push_back(node.name());
    }
    if (node.responding()) continue;
    // To the second, as it is shown: nodes that were lost together are one line.
    const std::int64_t since = node.last_heard_ms() / 1000 * 1000;
    groups[{since, node.down_reason(), "-"}].push_back(node.name());
  }
  for (const auto& [key, names] : groups) {
    table.add({std::get<1>(key), std::get<2>(key), local_time(std::get<0>(key)),
               compress_hostlist(names)});
  }
  return table;
}

Table queue_limits(const QueueList& queues) {
  Table table({{"QUEUE"},
               {"AVAIL"},
               {"PRIORITY", true},
               {"POLICY"},
               {"BACKFILL"},
               {"DEFTIME", true},
               {"MAXTIME", true},
               {"LEASE", true},
               {"MAXNODES", true},
               {"USERQUEUED", true},
               {"USERRUNNING", true},
               {"USERCORES", true},
               {"PENDING", true},
               {"RUNNING", true},
               {"NODELIST", false, 10}});
  for (const pb::QueueInfo& queue : queues) {
    table.add({queue.name() + (queue.is_default() ? "*" : ""), queue.enabled() ? "up" : "inactive",
               std::to_string(queue.priority()), queue.policy(), queue.backfill(),
               limit_text(queue.default_time_s()), limit_text(queue.max_time_s()),
               queue.lease_s() > 0 ? format_duration(queue.lease_s()) : "-",
               count_text(queue.max_nodes_per_job()), count_text(queue.max_queued_per_user()),
               count_text(queue.max_running_per_user()), count_text(queue.max_cores_per_user()),
               std::to_string(queue.pending()), std::to_string(queue.running()),
               queue.nodes_size() == 0
                   ? "all"
                   : compress_hostlist({queue.nodes().begin(), queue.nodes().end()})});
  }
  return table;
}

}  // namespace hyades
