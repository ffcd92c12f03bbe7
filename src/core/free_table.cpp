#include "core/free_table.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "core/cluster.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

int device_count(const std::vector<DeviceCount>& devices, const std::string& kind) {
  for (const DeviceCount& device : devices) {
    if (device.kind == kind) return device.count;
  }
  return 0;
}

MiB memory_of(const JobSpec& spec, const Node& node, int tasks) {
  if (spec.exclusive) return node.inventory.memory_mib;
  if (HYADES_DEFECT("forget_memory")) return 0;
  if (spec.memory_per_cpu_mib > 0) return spec.memory_per_cpu_mib * spec.cpus_per_task * tasks;
  return spec.memory_per_node_mib;
}

int cores_of(const JobSpec& spec, const Node& node, int tasks) {
  return spec.exclusive ? node.inventory.cores : spec.cpus_per_task * tasks;
}

FreeTable::FreeTable(const std::vector<Node>& nodes, bool whole) : rows_(nodes.size()) {
  std::set<std::string> kinds;
  for (const Node& node : nodes) {
    for (const DeviceCount& device : node.inventory.devices) kinds.insert(device.kind);
  }
  if (!kinds.empty()) {
    kinds_ = std::make_shared<const std::vector<std::string>>(kinds.begin(), kinds.end());
    devices_.resize(nodes.size() * kinds_->size());
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto at = static_cast<NodeIndex>(i);
    whole ? set_whole(at, nodes[i]) : set(at, nodes[i]);
  }
  refresh_all();
}

void FreeTable::refresh_all() {
  most_.clear();
  if (rows_.size() <= neighbours) return;
  most_.resize((rows_.size() + neighbours - 1) / neighbours);
  for (std::size_t i = 0; i < rows_.size(); i += neighbours) refresh(static_cast<NodeIndex>(i));
}

void FreeTable::refresh(NodeIndex node) {
  if (most_.empty()) return;
  const std::size_t block = static_cast<std::size_t>(node) / neighbours;
  const std::size_t end = std::min(rows_.size(), (block + 1) * neighbours);
  Most most;
  for (std::size_t i = block * neighbours; i < end; ++i) {
    most.cores = std::max(most.cores, rows_[i].cores);
    most.memory_mib = std::max(most.memory_mib, rows_[i].memory_mib);
  }
  most_[block] = most;
}

std::size_t FreeTable::next_worth(std::size_t from, const JobSpec& spec) const {
  if (most_.empty() || from % neighbours != 0) return from;
  MiB memory_mib = spec.memory_per_cpu_mib > 0 ? spec.memory_per_cpu_mib * spec.cpus_per_task
                                               : spec.memory_per_node_mib;
  if (spec.exclusive) memory_mib = 0;  // it is the node's, whatever is free
  while (from < rows_.size()) {
    const Most& most = most_[from / neighbours];
    if (most.cores >= spec.cpus_per_task && most.memory_mib >= memory_mib) return from;
    from += neighbours;
  }
  return rows_.size();
}

bool FreeTable::append(const Node& node, bool whole) {
  for (const DeviceCount& device : node.inventory.devices) {
    if (!has_devices() || kind_index(device.kind) == kinds_->size()) return false;
  }
  rows_.emplace_back();
  if (has_devices()) devices_.resize(rows_.size() * kinds_->size());
  const auto at = static_cast<NodeIndex>(rows_.size() - 1);
  whole ? set_whole(at, node) : set(at, node);
  if (rows_.size() <= neighbours + 1 || rows_.size() % neighbours == 1) {
    refresh_all();
  } else {
    refresh(at);
  }
  return true;
}

void FreeTable::set_whole(NodeIndex node, const Node& from) {
  const Inventory& all = from.inventory;
  rows_[static_cast<std::size_t>(node)] = {all.cores, 0, all.memory_mib};
  for (const DeviceCount& device : all.devices) {
    devices_of(node)[kind_index(device.kind)] = device.count;
  }
}

void FreeTable::set(NodeIndex node, const Node& from) {
  rows_[static_cast<std::size_t>(node)] = {from.free_cores.size(), from.jobs, from.free_memory_mib};
  for (const FreeDevices& devices : from.free_devices) {
    devices_of(node)[kind_index(devices.kind)] = devices.ids.size();
  }
}

std::size_t FreeTable::kind_index(const std::string& kind) const {
  const auto found = std::lower_bound(kinds_->begin(), kinds_->end(), kind);
  return found != kinds_->end() && *found == kind
             ? static_cast<std::size_t>(found - kinds_->begin())
             : kinds_->size();
}

int FreeTable::devices(NodeIndex node, const std::string& kind) const {
  if (!has_devices()) return 0;
  const std::size_t its = kind_index(kind);
  return its == kinds_->size() ? 0 : devices_of(node)[its];
}

void FreeTable::change(NodeIndex node, const Node& of, const JobSpec& spec, int tasks, int sign) {
  FreeRow& row = rows_[static_cast<std::size_t>(node)];
  row.cores += sign * cores_of(spec, of, tasks);
  row.memory_mib += sign * memory_of(spec, of, tasks);
  row.jobs -= sign;
  const auto& held = spec.exclusive ? of.inventory.devices : spec.devices_per_node;
  for (const DeviceCount& device : held) {
    if (device_count(of.inventory.devices, device.kind) == 0) continue;
    devices_of(node)[kind_index(device.kind)] += sign * device.count;
  }
  refresh(node);
}

void FreeTable::change(NodeIndex node, const NodeShare& share, int sign) {
  FreeRow& row = rows_[static_cast<std::size_t>(node)];
  row.cores += sign * share.cores.size();
  row.memory_mib += sign * share.memory_mib;
  row.jobs -= sign;
  refresh(node);
  if (!has_devices()) return;
  for (const DeviceGrant& grant : share.devices) {
    const std::size_t kind = kind_index(grant.kind);
    if (kind < kinds_->size()) devices_of(node)[kind] += sign * grant.ids.size();
  }
}

void FreeTable::give_sum(int cores, MiB memory_mib, int jobs) {
  rows_[0].cores += cores;
  rows_[0].memory_mib += memory_mib;
  rows_[0].jobs -= jobs;
}

void FreeTable::copy(const FreeTable& other, NodeIndex node) {
  rows_[static_cast<std::size_t>(node)] = other.row(node);
  refresh(node);
  if (!has_devices()) return;
  std::copy_n(other.devices_of(node), kinds_->size(), devices_of(node));
}

void FreeTable::cut_row(const FreeTable& other, NodeIndex node) {
  FreeRow& mine = rows_[static_cast<std::size_t>(node)];
  const FreeRow& its = other.row(node);
  mine.cores = std::min(mine.cores, its.cores);
  mine.memory_mib = std::min(mine.memory_mib, its.memory_mib);
  mine.jobs = std::max(mine.jobs, its.jobs);
  if (!has_devices()) return;
  for (std::size_t kind = 0; kind < kinds_->size(); ++kind) {
    devices_of(node)[kind] = std::min(devices_of(node)[kind], other.devices_of(node)[kind]);
  }
}

void FreeTable::cut_to(const FreeTable& other, NodeIndex node) {
  cut_row(other, node);
  refresh(node);
}

void FreeTable::cut_to(const FreeTable& other) {
  for (std::size_t i = 0; i < rows_.size(); ++i) cut_row(other, static_cast<NodeIndex>(i));
  refresh_all();
}

DeviceNeeds FreeTable::needs_of(const JobSpec& spec) const {
  DeviceNeeds needs;
  if (spec.devices_per_node.empty()) return needs;
  if (has_devices()) needs.counts.resize(kinds_->size());
  for (const DeviceCount& wanted : spec.devices_per_node) {
    const std::size_t kind = has_devices() ? kind_index(wanted.kind) : 0;
    if (!has_devices() || kind == kinds_->size()) {
      needs.unknown = needs.unknown || wanted.count > 0;
    } else {
      needs.counts[kind] = wanted.count;
    }
  }
  return needs;
}

int FreeTable::capacity(NodeIndex node, const Node& of, const JobSpec& spec,
                        const DeviceNeeds& needs) const {
  const FreeRow& free = row(node);
  if (free.cores < spec.cpus_per_task || needs.unknown) return 0;
  if (spec.exclusive && free.jobs > 0) return 0;
  for (std::size_t kind = 0; kind < needs.counts.size(); ++kind) {
    if (devices_of(node)[kind] < needs.counts[kind]) return 0;
  }
  std::int64_t tasks = free.cores / spec.cpus_per_task;
  if (spec.memory_per_node_mib > (spec.exclusive ? of.inventory.memory_mib : free.memory_mib)) {
    return 0;
  }
  if (spec.memory_per_cpu_mib > 0) {
    tasks = std::min(tasks, free.memory_mib / (spec.memory_per_cpu_mib * spec.cpus_per_task));
  }
  if (spec.tasks_per_node > 0) tasks = std::min<std::int64_t>(tasks, spec.tasks_per_node);
  return static_cast<int>(std::clamp<std::int64_t>(tasks, 0, spec.tasks));
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

Plan fill_nodes(const JobSpec& spec, const std::vector<NodeRoom>& chosen) {
  Plan plan;
  int left = spec.tasks - static_cast<int>(chosen.size());
  for (const NodeRoom& room : chosen) {
    const int more = std::min(left, room.tasks - 1);
    plan.push_back({room.node, 1 + more});
    left -= more;
  }
  if (left > 0) return {};
  std::sort(plan.begin(), plan.end(),
            [](const PlannedShare& a, const PlannedShare& b) { return a.node < b.node; });
  return plan;
}

namespace {

bool has_more_room(const NodeRoom& a, const NodeRoom& b) { return a.tasks > b.tasks; }

// Leaves those on which the job is to run, roomiest first, ties by index: `spec.nodes`, or else the
// fewest that hold it. None: there are not as many. Candidates are many and those chosen few, so
// only these are sorted.
void keep_roomiest(std::vector<NodeRoom>& candidates, const JobSpec& spec) {
  std::vector<int> with_room(1);  // candidates by capacity
  for (const NodeRoom& candidate : candidates) {
    const auto capacity = static_cast<std::size_t>(candidate.tasks);
    if (capacity >= with_room.size()) with_room.resize(capacity + 1);
    ++with_room[capacity];
  }
  // The least capacity that is needed, and how many of that.
  std::int64_t nodes = spec.nodes > 0 ? spec.nodes : static_cast<std::int64_t>(candidates.size());
  std::int64_t room = spec.nodes > 0 ? std::numeric_limits<std::int64_t>::max() : spec.tasks;
  std::size_t least = with_room.size();
  std::int64_t of_least = 0;
  while (least > 1 && nodes > 0 && room > 0) {
    const auto capacity = static_cast<std::int64_t>(--least);
    of_least = std::min<std::int64_t>({nodes, with_room[least], (room - 1) / capacity + 1});
    nodes -= of_least;
    room -= of_least * capacity;
  }
  if (spec.nodes > 0 ? nodes > 0 : room > 0) candidates.clear();
  std::erase_if(candidates, [&](const NodeRoom& candidate) {
    const auto capacity = static_cast<std::size_t>(candidate.tasks);
    return capacity < least || (capacity == least && --of_least < 0);
  });
  std::stable_sort(candidates.begin(), candidates.end(), has_more_room);
}

}  // namespace

Plan place(const JobSpec& spec, const std::vector<Node>& nodes, const FreeTable& free,
           const std::vector<char>& usable) {
  std::vector<NodeRoom> candidates;
  std::int64_t all_room = 0;
  const bool one_will_do = spec.nodes <= 1;
  const DeviceNeeds needs = free.needs_of(spec);
  for (std::size_t i = free.next_worth(0, spec); i < nodes.size();
       i = free.next_worth(i + 1, spec)) {
    const auto index = static_cast<NodeIndex>(i);
    if (!usable[i] || free.cores(index) < spec.cpus_per_task) continue;
    if (!node_allowed(nodes[i], spec)) continue;
    const int capacity = free.capacity(index, nodes[i], spec, needs);
    if (capacity == 0) continue;
    if (one_will_do && capacity >= spec.tasks) return {{index, spec.tasks}};
    if (spec.nodes != 1) candidates.push_back({index, capacity});
    all_room += capacity;
  }
  if (spec.nodes == 1 || all_room < spec.tasks) return {};  // mostly: before anything is sorted
  keep_roomiest(candidates, spec);
  if (candidates.empty()) return {};
  return fill_nodes(spec, candidates);
}

}  // namespace hyades
