#include "core/cluster.hpp"

#include <algorithm>

#include "core/assert.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

namespace {

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
  auto place = nodes_.end();
  if (!nodes_.empty() && comes_before(name, nodes_.back().name)) {
    place = std::find_if(nodes_.begin(), nodes_.end(),
                         [&](const Node& node) { return comes_before(name, node.name); });
  }
  const auto added = nodes_.insert(place, {.name = name, .inventory = inventory});
  names_.insert(names_.begin() + (added - nodes_.begin()), name);
  reset_free(*added);
  for (auto node = added; node != nodes_.end(); ++node) {
    by_name_[node->name] = static_cast<NodeIndex>(node - nodes_.begin());
  }
  const bool is_last = added + 1 == nodes_.end();
  if (!is_last || !free_.append(*added) || !whole_.append(*added, true)) rebuild_tables();
  ++inventories_;
}

void Cluster::rebuild_tables() {
  free_ = FreeTable(nodes_);
  whole_ = FreeTable(nodes_, true);
  ++inventories_;
}

bool Cluster::define(const std::string& name, const Inventory& inventory) {
  if (!by_name_.contains(name)) {
    add(name, inventory);
    return true;
  }
  Node& node = *find(name);
  if (node.inventory == inventory) return true;
  if (!change(node, inventory)) return false;
  rebuild_tables();
  return true;
}

bool Cluster::change(Node& node, const Inventory& inventory) {
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

void Cluster::set_profile(const std::string& name, const std::optional<NodeProfile>& profile) {
  Node* const node = find(name);
  if (node == nullptr) return;
  node->profile = profile;
  ++inventories_;
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
  NodeIndex last = -1;  // plans name their nodes in order, so none twice
  const DeviceNeeds needs = free_.needs_of(spec);
  int tasks = 0;
  for (const PlannedShare& share : plan) {
    if (static_cast<std::size_t>(share.node) >= nodes_.size()) return false;
    if (share.tasks < 1 || share.node <= last) return false;
    last = share.node;
    const Node& node = nodes_[static_cast<std::size_t>(share.node)];
    if (!node.schedulable() || !node_allowed(node, spec)) return false;
    if (free_.capacity(share.node, node, spec, needs) < share.tasks) return false;
    tasks += share.tasks;
  }
  return tasks == spec.tasks && (spec.nodes == 0 || plan.size() == std::size_t(spec.nodes));
}

namespace {

// A node's memory domain as a job sees it: what it lacks there, and what would be left.
struct DomainOffer {
  const MemoryDomain* domain;
  IdSet cores;  // free
  int missing_cores;
  int missing_devices;

  // The fullest of those that hold all; else the one that holds most.
  friend bool operator<(const DomainOffer& a, const DomainOffer& b) {
    if (a.missing_cores != b.missing_cores) return a.missing_cores < b.missing_cores;
    if (a.missing_devices != b.missing_devices) return a.missing_devices < b.missing_devices;
    return a.cores.size() < b.cores.size();
  }
};

const IdSet* ids_of(const std::vector<DeviceGrant>& grants, const std::string& kind) {
  for (const DeviceGrant& grant : grants) {
    if (grant.kind == kind) return &grant.ids;
  }
  return nullptr;
}

// Adds ids of `from` that are not in `out` until it has `count`.
void fill(IdSet& out, const IdSet& from, int count) {
  const IdSet more = from.without(out);
  out.insert_all(more.lowest(std::clamp(count - out.size(), 0, more.size())));
}

// Cores and devices for a share that wants so many: near each other, where the node says what is
// near what, and the lowest numbers otherwise.
class ShareChoice {
 public:
  ShareChoice(const Node& node, int cores, const std::vector<DeviceCount>& devices)
      : node_(node), cores_(cores), devices_(devices) {
    for (const DeviceCount& device : devices_) taken_.push_back({device.kind, {}});
  }

  void choose(NodeShare& share) {
    std::vector<const MemoryDomain*> rest;
    for (const MemoryDomain& domain : node_.inventory.domains) rest.push_back(&domain);
    while (!rest.empty() && !complete()) {
      std::vector<DomainOffer> offers;
      for (const MemoryDomain* domain : rest) offers.push_back(offer_of(*domain));
      const auto best = std::min_element(offers.begin(), offers.end());
      take(*best->domain, best->cores);
      std::erase(rest, best->domain);
    }
    take_anything();
    share.cores = std::move(core_ids_);
    share.devices = std::move(taken_);
  }

 private:
  const IdSet& free_devices(const std::string& kind) const {
    static const IdSet none;
    for (const FreeDevices& devices : node_.free_devices) {
      if (devices.kind == kind) return devices.ids;
    }
    return none;
  }
  int missing(std::size_t device) const {
    return devices_[device].count - taken_[device].ids.size();
  }
  bool complete() const {
    if (core_ids_.size() < cores_) return false;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (missing(i) > 0) return false;
    }
    return true;
  }
  IdSet free_in(const MemoryDomain& domain, const std::string& kind) const {
    const IdSet* const ids = ids_of(domain.devices, kind);
    return ids == nullptr ? IdSet() : ids->common(free_devices(kind));
  }

  DomainOffer offer_of(const MemoryDomain& domain) const {
    DomainOffer offer{&domain, domain.cores.common(node_.free_cores).without(core_ids_), 0, 0};
    offer.missing_cores = std::max(0, cores_ - core_ids_.size() - offer.cores.size());
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      offer.missing_devices += std::max(0, missing(i) - free_in(domain, devices_[i].kind).size());
    }
    return offer;
  }

  void take(const MemoryDomain& domain, const IdSet& cores) {
    fill(core_ids_, cores, cores_);
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      fill(taken_[i].ids, free_in(domain, devices_[i].kind), devices_[i].count);
    }
  }

  // What no domain has.
  void take_anything() {
    fill(core_ids_, node_.free_cores, cores_);
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      fill(taken_[i].ids, free_devices(devices_[i].kind), devices_[i].count);
    }
  }

  const Node& node_;
  int cores_;
  const std::vector<DeviceCount>& devices_;
  IdSet core_ids_;
  std::vector<DeviceGrant> taken_;
};

}  // namespace

Placement Cluster::choose(const JobSpec& spec, const Plan& plan) const {
  Placement placement;
  for (const PlannedShare& planned : plan) {
    const Node& node = nodes_[static_cast<std::size_t>(planned.node)];
    NodeShare share{
        .node = node.name, .at = planned.node, .boot_id = node.boot_id, .tasks = planned.tasks};
    share.memory_mib = memory_of(spec, node, planned.tasks);
    std::vector<DeviceCount> wanted;
    for (const FreeDevices& devices : node.free_devices) {
      const int count =
          spec.exclusive ? devices.ids.size() : device_count(spec.devices_per_node, devices.kind);
      if (count > 0) wanted.push_back({devices.kind, count});
    }
    ShareChoice(node, cores_of(spec, node, planned.tasks), wanted).choose(share);
    placement.shares.push_back(std::move(share));
  }
  return placement;
}

void Cluster::take(const Placement& placement) {
  for (const NodeShare& share : placement.shares) {
    const NodeIndex at = index(share);
    HYADES_ASSERT(at >= 0);
    Node* const node = &nodes_[static_cast<std::size_t>(at)];
    node->free_cores.erase_all(share.cores);
    node->free_memory_mib -= share.memory_mib;
    HYADES_ASSERT(node->free_memory_mib >= 0);
    for (const DeviceGrant& grant : share.devices) {
      IdSet* const free = free_ids(*node, grant.kind);
      HYADES_ASSERT(free != nullptr);
      free->erase_all(grant.ids);
    }
    ++node->jobs;
    free_.take(at, share);
  }
}

void Cluster::give_back(const Placement& placement) {
  for (const NodeShare& share : placement.shares) {
    const NodeIndex at = index(share);
    HYADES_ASSERT(at >= 0);
    Node* const node = &nodes_[static_cast<std::size_t>(at)];
    HYADES_ASSERT(node->jobs > 0);
    node->free_cores.insert_all(share.cores);
    node->free_memory_mib += share.memory_mib;
    for (const DeviceGrant& grant : share.devices) {
      IdSet* const free = free_ids(*node, grant.kind);
      HYADES_ASSERT(free != nullptr);
      free->insert_all(grant.ids);
    }
    --node->jobs;
    free_.give(at, share);
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

// The number may be of the time before the master started anew, or before another node came.
NodeIndex Cluster::index(const NodeShare& share) const {
  const auto at = static_cast<std::size_t>(share.at);
  const bool known = share.at >= 0 && at < names_.size() && names_[at] == share.node;
  return known ? share.at : index(share.node);
}

void Cluster::number(Placement& placement) const {
  for (NodeShare& share : placement.shares) share.at = index(share.node);
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
  fresh.names_ = names_;
  fresh.free_ = FreeTable(fresh.nodes_);
  for (const Placement* placement : placements) fresh.take(*placement);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    HYADES_ASSERT(fresh.nodes_[i].free_cores == nodes_[i].free_cores);
    HYADES_ASSERT(fresh.nodes_[i].free_memory_mib == nodes_[i].free_memory_mib);
    HYADES_ASSERT(fresh.nodes_[i].jobs == nodes_[i].jobs);
    for (std::size_t d = 0; d < nodes_[i].free_devices.size(); ++d) {
      HYADES_ASSERT(fresh.nodes_[i].free_devices[d].ids == nodes_[i].free_devices[d].ids);
    }
  }
  HYADES_ASSERT(fresh.free_ == free_);
}

}  // namespace hyades
