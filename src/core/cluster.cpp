#include "core/cluster.hpp"

#include <algorithm>

#include "core/assert.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

namespace {

int device_count(const std::vector<DeviceCount>& devices, const std::string& kind) {
  for (const DeviceCount& device : devices) {
    if (device.kind == kind) return device.count;
  }
  return 0;
}

// Memory that `tasks` tasks of the job take on one node.
MiB memory_of(const JobSpec& spec, const Node& node, int tasks) {
  if (spec.exclusive) return node.inventory.memory_mib;
  if (HYADES_DEFECT("forget_memory")) return 0;
  if (spec.memory_per_cpu_mib > 0) return spec.memory_per_cpu_mib * spec.cpus_per_task * tasks;
  return spec.memory_per_node_mib;
}

int cores_of(const JobSpec& spec, const Node& node, int tasks) {
  return spec.exclusive ? node.inventory.cores : spec.cpus_per_task * tasks;
}

void reset_free(Node& node) {
  node.free_cores = IdSet::first(node.inventory.cores);
  node.free_memory_mib = node.inventory.memory_mib;
  node.free_devices.clear();
  for (const DeviceCount& device : node.inventory.devices) {
    node.free_devices.push_back({device.kind, IdSet::first(device.count)});
  }
}

// The ids by which `now` exceeds `before` (first(before) is a subset of first(now)).
IdSet grown(int before, int now) {
  IdSet ids;
  if (now > before) ids.insert_range(before, now - 1);
  return ids;
}

// The ids that go away; they must all be free.
bool can_shrink(const IdSet& free, int before, int now) {
  for (int id = now; id < before; ++id) {
    if (!free.contains(id)) return false;
  }
  return true;
}

IdSet* free_ids(Node& node, const std::string& kind) {
  for (FreeDevices& devices : node.free_devices) {
    if (devices.kind == kind) return &devices.ids;
  }
  return nullptr;
}

// As people count: n2 before n10.
bool comes_before(const std::string& a, const std::string& b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i;
      ++j;
      continue;
    }
    std::size_t a_end = i;
    std::size_t b_end = j;
    while (a_end < a.size() && is_digit(a[a_end])) ++a_end;
    while (b_end < b.size() && is_digit(b[b_end])) ++b_end;
    std::size_t a_begin = i;
    std::size_t b_begin = j;
    while (a_begin + 1 < a_end && a[a_begin] == '0') ++a_begin;
    while (b_begin + 1 < b_end && b[b_begin] == '0') ++b_begin;
    const int by_number = a_end - a_begin != b_end - b_begin
                              ? (a_end - a_begin < b_end - b_begin ? -1 : 1)
                              : a.compare(a_begin, a_end - a_begin, b, b_begin, b_end - b_begin);
    if (by_number != 0) return by_number < 0;
    i = a_end;
    j = b_end;
  }
  if ((i == a.size()) != (j == b.size())) return i == a.size();
  return a < b;  // "n1" and "n01" are two
}

}  // namespace

// Not in the order of their first greetings, which is another each time.
void Cluster::add(const std::string& name, const Inventory& inventory) {
  const auto place = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const Node& node) { return comes_before(name, node.name); });
  const auto added = nodes_.insert(place, {.name = name, .inventory = inventory});
  reset_free(*added);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    by_name_[nodes_[i].name] = static_cast<NodeIndex>(i);
  }
}

bool Cluster::define(const std::string& name, const Inventory& inventory) {
  if (!by_name_.contains(name)) {
    add(name, inventory);
    return true;
  }
  Node& node = *find(name);
  if (node.inventory == inventory) return true;
  if (node.jobs == 0) {
    node.inventory = inventory;
    reset_free(node);
    return true;
  }
  // With jobs on it, cores and memory may only change where nobody is; devices must stay.
  const MiB memory_change = inventory.memory_mib - node.inventory.memory_mib;
  if (inventory.devices != node.inventory.devices || node.free_memory_mib + memory_change < 0 ||
      !can_shrink(node.free_cores, node.inventory.cores, inventory.cores)) {
    return false;
  }
  node.free_cores.insert_all(grown(node.inventory.cores, inventory.cores));
  if (inventory.cores < node.inventory.cores) {
    node.free_cores.erase_all(grown(inventory.cores, node.inventory.cores));
  }
  node.free_memory_mib += memory_change;
  node.inventory = inventory;
  return true;
}

void Cluster::drain(const std::string& name, const std::string& reason, const std::string& by,
                    WallMs at_ms) {
  Node* const node = find(name);
  HYADES_ASSERT(node != nullptr);
  node->drained = true;
  node->drain_reason = reason;
  node->drained_by = by;
  node->drained_ms = at_ms;
}

void Cluster::declare_dead(const std::string& name, LaunchSequence below,
                           const std::string& proof) {
  Node* const node = find(name);
  if (node == nullptr || node->dead_below >= below) return;
  node->dead_below = below;
  node->death_proof = proof;
}

void Cluster::resume(const std::string& name) {
  Node* const node = find(name);
  HYADES_ASSERT(node != nullptr);
  node->drained = false;
  node->drain_reason.clear();
  node->drained_by.clear();
  node->drained_ms = 0;
  node->launch_faults = {};
}

bool Cluster::fits(const JobSpec& spec, const Plan& plan) const {
  std::vector<NodeIndex> seen;
  int tasks = 0;
  for (const PlannedShare& share : plan) {
    if (share.node < 0 || static_cast<std::size_t>(share.node) >= nodes_.size()) return false;
    if (share.tasks < 1 || std::find(seen.begin(), seen.end(), share.node) != seen.end()) {
      return false;
    }
    const Node& node = nodes_[static_cast<std::size_t>(share.node)];
    if (!node.schedulable() || !node_allowed(node, spec)) return false;
    if (task_capacity(free_counts(node), node, spec) < share.tasks) return false;
    seen.push_back(share.node);
    tasks += share.tasks;
  }
  return tasks == spec.tasks && (spec.nodes == 0 || plan.size() == std::size_t(spec.nodes));
}

Placement Cluster::choose(const JobSpec& spec, const Plan& plan) const {
  Placement placement;
  for (const PlannedShare& planned : plan) {
    const Node& node = nodes_[static_cast<std::size_t>(planned.node)];
    NodeShare share{.node = node.name, .boot_id = node.boot_id, .tasks = planned.tasks};
    share.cores = node.free_cores.lowest(cores_of(spec, node, planned.tasks));
    share.memory_mib = memory_of(spec, node, planned.tasks);
    for (const FreeDevices& devices : node.free_devices) {
      const int wanted =
          spec.exclusive ? devices.ids.size() : device_count(spec.devices_per_node, devices.kind);
      if (wanted > 0) share.devices.push_back({devices.kind, devices.ids.lowest(wanted)});
    }
    placement.shares.push_back(std::move(share));
  }
  return placement;
}

void Cluster::take(const Placement& placement) {
  for (const NodeShare& share : placement.shares) {
    Node* const node = find(share.node);
    HYADES_ASSERT(node != nullptr);
    node->free_cores.erase_all(share.cores);
    node->free_memory_mib -= share.memory_mib;
    HYADES_ASSERT(node->free_memory_mib >= 0);
    for (const DeviceGrant& grant : share.devices) {
      IdSet* const free = free_ids(*node, grant.kind);
      HYADES_ASSERT(free != nullptr);
      free->erase_all(grant.ids);
    }
    ++node->jobs;
  }
}

void Cluster::give_back(const Placement& placement) {
  for (const NodeShare& share : placement.shares) {
    Node* const node = find(share.node);
    HYADES_ASSERT(node != nullptr && node->jobs > 0);
    node->free_cores.insert_all(share.cores);
    node->free_memory_mib += share.memory_mib;
    for (const DeviceGrant& grant : share.devices) {
      IdSet* const free = free_ids(*node, grant.kind);
      HYADES_ASSERT(free != nullptr);
      free->insert_all(grant.ids);
    }
    --node->jobs;
  }
}

const Node* Cluster::find(const std::string& name) const {
  const NodeIndex at = index(name);
  return at < 0 ? nullptr : &nodes_[static_cast<std::size_t>(at)];
}

Node* Cluster::find(const std::string& name) {
  const NodeIndex at = index(name);
  return at < 0 ? nullptr : &nodes_[static_cast<std::size_t>(at)];
}

NodeIndex Cluster::index(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? -1 : found->second;
}

void Cluster::check(const std::vector<const Placement*>& placements) const {
  std::vector<Node> rebuilt = nodes_;
  for (Node& node : rebuilt) {
    reset_free(node);
    node.jobs = 0;
  }
  Cluster fresh;
  fresh.nodes_ = std::move(rebuilt);
  fresh.by_name_ = by_name_;
  for (const Placement* placement : placements) fresh.take(*placement);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    HYADES_ASSERT(fresh.nodes_[i].free_cores == nodes_[i].free_cores);
    HYADES_ASSERT(fresh.nodes_[i].free_memory_mib == nodes_[i].free_memory_mib);
    HYADES_ASSERT(fresh.nodes_[i].jobs == nodes_[i].jobs);
    for (std::size_t d = 0; d < nodes_[i].free_devices.size(); ++d) {
      HYADES_ASSERT(fresh.nodes_[i].free_devices[d].ids == nodes_[i].free_devices[d].ids);
    }
  }
}

FreeCounts free_counts(const Node& node) {
  FreeCounts counts{.cores = node.free_cores.size(),
                    .memory_mib = node.free_memory_mib,
                    .devices = {},
                    .jobs = node.jobs};
  counts.devices.reserve(node.free_devices.size());
  for (const FreeDevices& devices : node.free_devices) {
    counts.devices.push_back({devices.kind, devices.ids.size()});
  }
  return counts;
}

FreeCounts all_counts(const Node& node) {
  return {node.inventory.cores, node.inventory.memory_mib, node.inventory.devices, 0};
}

namespace {

void change(FreeCounts& counts, const Node& node, const JobSpec& spec, int tasks, int sign) {
  counts.cores += sign * cores_of(spec, node, tasks);
  counts.memory_mib += sign * memory_of(spec, node, tasks);
  for (DeviceCount& device : counts.devices) {
    const auto& held = spec.exclusive ? node.inventory.devices : spec.devices_per_node;
    device.count += sign * device_count(held, device.kind);
  }
  counts.jobs -= sign;
}

}  // namespace

void subtract(FreeCounts& counts, const Node& node, const JobSpec& spec, int tasks) {
  change(counts, node, spec, tasks, -1);
}

void add(FreeCounts& counts, const Node& node, const JobSpec& spec, int tasks) {
  change(counts, node, spec, tasks, +1);
}

void add(FreeCounts& counts, const NodeShare& share) {
  counts.cores += share.cores.size();
  counts.memory_mib += share.memory_mib;
  for (const DeviceGrant& grant : share.devices) {
    for (DeviceCount& device : counts.devices) {
      if (device.kind == grant.kind) device.count += grant.ids.size();
    }
  }
  --counts.jobs;
}

bool node_allowed(const Node& node, const JobSpec& spec) {
  const auto names = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), node.name) != list.end();
  };
  if (!spec.node_list.empty() && !names(spec.node_list)) return false;
  if (names(spec.exclude)) return false;
  return std::all_of(spec.features.begin(), spec.features.end(), [&](const std::string& feature) {
    const auto& have = node.inventory.features;
    return std::find(have.begin(), have.end(), feature) != have.end();
  });
}

int task_capacity(const FreeCounts& counts, const Node& node, const JobSpec& spec) {
  if (spec.exclusive && counts.jobs > 0) return 0;
  for (const DeviceCount& wanted : spec.devices_per_node) {
    if (device_count(counts.devices, wanted.kind) < wanted.count) return 0;
  }
  std::int64_t tasks = counts.cores / spec.cpus_per_task;
  if (spec.memory_per_node_mib > (spec.exclusive ? node.inventory.memory_mib : counts.memory_mib)) {
    return 0;
  }
  if (spec.memory_per_cpu_mib > 0) {
    tasks = std::min(tasks, counts.memory_mib / (spec.memory_per_cpu_mib * spec.cpus_per_task));
  }
  if (spec.tasks_per_node > 0) tasks = std::min<std::int64_t>(tasks, spec.tasks_per_node);
  return static_cast<int>(std::clamp<std::int64_t>(tasks, 0, spec.tasks));
}

namespace {

struct Candidate {
  NodeIndex node;
  int capacity;
};

// Hands `spec.tasks` tasks to the chosen nodes: one each first (a node without a task would be
// held for nothing), then the rest in order. Empty when they cannot hold all of them.
Plan fill(const JobSpec& spec, const std::vector<Candidate>& chosen) {
  Plan plan;
  int left = spec.tasks - static_cast<int>(chosen.size());
  for (const Candidate& candidate : chosen) {
    const int more = std::min(left, candidate.capacity - 1);
    plan.push_back({candidate.node, 1 + more});
    left -= more;
  }
  if (left > 0) return {};
  std::sort(plan.begin(), plan.end(),
            [](const PlannedShare& a, const PlannedShare& b) { return a.node < b.node; });
  return plan;
}

}  // namespace

Plan place(const JobSpec& spec, const std::vector<Node>& nodes,
           const std::vector<FreeCounts>& counts, const std::vector<char>& usable) {
  std::vector<Candidate> candidates;
  const bool one_will_do = spec.nodes <= 1;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!usable[i] || !node_allowed(nodes[i], spec)) continue;
    const int capacity = task_capacity(counts[i], nodes[i], spec);
    if (capacity == 0) continue;
    const auto index = static_cast<NodeIndex>(i);
    if (one_will_do && capacity >= spec.tasks) return {{index, spec.tasks}};
    candidates.push_back({index, capacity});
  }
  if (spec.nodes == 1) return {};
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.capacity > b.capacity; });
  std::size_t count = static_cast<std::size_t>(spec.nodes);
  if (spec.nodes == 0) {
    std::int64_t room = 0;
    while (count < candidates.size() && room < spec.tasks) room += candidates[count++].capacity;
  }
  if (count == 0 || count > candidates.size()) return {};
  candidates.resize(count);
  return fill(spec, candidates);
}

}  // namespace hyades
