// How much is free on every node, without saying which: what planning needs. A node is a row, by
// NodeIndex. Copies are cheap: a policy takes one for each pass and plans on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/job_spec.hpp"
#include "core/resources.hpp"

namespace hyades {

struct Node;

struct FreeRow {
  int cores = 0;
  int jobs = 0;  // that hold something there
  MiB memory_mib = 0;

  friend bool operator==(const FreeRow&, const FreeRow&) = default;
};

// A placement by numbers; Cluster::take turns it into cores and devices.
struct PlannedShare {
  NodeIndex node = 0;
  int tasks = 0;

  friend bool operator==(const PlannedShare&, const PlannedShare&) = default;
};
using Plan = std::vector<PlannedShare>;  // by node

// What a job asks for of each kind of device on a node, by the table's kinds.
struct DeviceNeeds {
  bool unknown = false;     // of a kind that no node has
  std::vector<int> counts;  // empty: none of any
};

class FreeTable {
 public:
  FreeTable() = default;
  // What is free now, or, if `whole`, what would be if nothing ran.
  explicit FreeTable(const std::vector<Node>& nodes, bool whole = false);

  std::size_t size() const { return rows_.size(); }
  const FreeRow& row(NodeIndex node) const { return rows_[static_cast<std::size_t>(node)]; }
  int cores(NodeIndex node) const { return row(node).cores; }
  int devices(NodeIndex node, const std::string& kind) const;  // 0: it has none of that kind

  // Adds a row for a node that comes behind all others. False, and nothing done: it brings kinds of
  // devices that no other has.
  bool append(const Node& node, bool whole = false);

  // Puts down what the node has free now.
  void set(NodeIndex node, const Node& from);
  // Likewise what it would have if nothing ran.
  void set_whole(NodeIndex node, const Node& from);

  // Takes `tasks` tasks of the job off a node, or gives them back.
  void take(NodeIndex node, const Node& of, const JobSpec& spec, int tasks) {
    change(node, of, spec, tasks, -1);
  }
  void give(NodeIndex node, const Node& of, const JobSpec& spec, int tasks) {
    change(node, of, spec, tasks, +1);
  }
  void take(NodeIndex node, const NodeShare& share) { change(node, share, -1); }
  void give(NodeIndex node, const NodeShare& share) { change(node, share, +1); }
  // Of jobs on a cluster of one node without devices: all of them at once.
  void give_sum(int cores, MiB memory_mib, int jobs);

  // Makes a row the same as the other table's.
  void copy(const FreeTable& other, NodeIndex node);
  // What both tables have free: of one row, and of all.
  void cut_to(const FreeTable& other, NodeIndex node);
  void cut_to(const FreeTable& other);

  DeviceNeeds needs_of(const JobSpec& spec) const;
  bool has_devices() const { return kinds_ != nullptr && !kinds_->empty(); }

  // How many of the job's tasks the row can hold (never more than spec.tasks or tasks_per_node).
  // An exclusive job fits only where nothing else runs.
  int capacity(NodeIndex node, const Node& of, const JobSpec& spec, const DeviceNeeds& needs) const;

  // The first node from `from` on that is worth a look: those before have not the cores or the
  // memory of one task, as far as neighbours are known together. size(): none is.
  std::size_t next_worth(std::size_t from, const JobSpec& spec) const;

  friend bool operator==(const FreeTable& a, const FreeTable& b) {
    return a.rows_ == b.rows_ && a.devices_ == b.devices_;
  }

 private:
  // The most that any of some neighbours has free, so that nodes that are full are passed quickly.
  // Small clusters have none.
  static constexpr std::size_t neighbours = 32;
  struct Most {
    int cores = 0;
    MiB memory_mib = 0;
  };
  void refresh(NodeIndex node);
  void refresh_all();
  void cut_row(const FreeTable& other, NodeIndex node);
  void change(NodeIndex node, const Node& of, const JobSpec& spec, int tasks, int sign);
  void change(NodeIndex node, const NodeShare& share, int sign);
  int* devices_of(NodeIndex node) {
    return devices_.data() + static_cast<std::size_t>(node) * kinds_->size();
  }
  const int* devices_of(NodeIndex node) const {
    return devices_.data() + static_cast<std::size_t>(node) * kinds_->size();
  }
  std::size_t kind_index(const std::string& kind) const;  // kinds_->size(): not one of them

  std::vector<FreeRow> rows_;
  std::vector<Most> most_;
  std::vector<int> devices_;                               // by node, then by kind
  std::shared_ptr<const std::vector<std::string>> kinds_;  // sorted; none: no node has devices
};

// How many of the kind are among them.
int device_count(const std::vector<DeviceCount>& devices, const std::string& kind);

// True when the spec's node list, exclusions and features allow this node.
bool node_allowed(const Node& node, const JobSpec& spec);

// A node and how many tasks of a job it has room for.
struct NodeRoom {
  NodeIndex node = 0;
  int tasks = 0;
};

// Hands `spec.tasks` tasks to the chosen nodes: one each first (a node without a task would be
// held for nothing), then the rest in order. Empty when they cannot hold all of them.
Plan fill_nodes(const JobSpec& spec, const std::vector<NodeRoom>& chosen);

// Chooses nodes for a job: with `spec.nodes` unset, the first single node that holds all tasks,
// else the fewest nodes, roomiest first; ties go to the lower index. `usable[i]` says whether node
// i may be used at all. Empty: does not fit.
Plan place(const JobSpec& spec, const std::vector<Node>& nodes, const FreeTable& free,
           const std::vector<char>& usable);

// Cores that `tasks` tasks of the job take on a node, and memory.
int cores_of(const JobSpec& spec, const Node& node, int tasks);
MiB memory_of(const JobSpec& spec, const Node& node, int tasks);

}  // namespace hyades
