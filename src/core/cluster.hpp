// The nodes and the ledger: what each node has, what is free, and the check that nothing is ever
// given out twice.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/free_table.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/node_profile.hpp"
#include "core/resources.hpp"
#include "core/time.hpp"

namespace hyades {

struct FreeDevices {
  std::string kind;
  IdSet ids;
};

// Launches in a row that failed because of a node, as it seemed.
struct LaunchFaults {
  int count = 0;
  BootMs since_ms = 0;            // the first of them
  std::set<std::uint32_t> users;  // whose jobs they were
};

struct Node {
  std::string name;
  Inventory inventory;

  bool drained = false;
  std::string drain_reason;
  std::string drained_by;
  WallMs drained_ms = 0;

  bool responding = false;  // its worker was heard within node_timeout
  BootMs last_heard_ms = 0;
  int peer = 0;  // PeerId of its worker; 0: none
  std::string boot_id;
  std::string address;             // where other nodes reach it
  BootMs echo_ms = 0;              // by the node's clock: when it sent what was heard last
  BootMs renewed_ms = 0;           // when the master last answered it
  std::set<LaunchKey> strays;      // what it runs and should not: stopped, not gone yet
  BootMs strays_due_ms = 0;        // when they are told again
  std::string health;              // what its health check complains of; "": nothing
  bool fencing = false;            // its power is being cut
  LaunchSequence fence_below = 0;  // orders from before that began
  BootMs fence_again_ms = 0;       // not before
  std::string fence_trouble;       // why that failed last
  LaunchSequence dead_below = 0;   // orders of lower sequences are known to be over here
  std::string death_proof;         // how that is known
  LaunchFaults launch_faults;
  std::int64_t worker_pid = 0;
  std::optional<NodeProfile> profile;  // what it was measured to do

  IdSet free_cores;
  MiB free_memory_mib = 0;
  std::vector<FreeDevices> free_devices;  // one for each kind in the inventory
  int jobs = 0;                           // how many hold something here

  bool schedulable() const { return responding && !drained && !fencing && strays.empty(); }
};

class Cluster {
 public:
  // Adds the node or changes what it has. Refuses (false, nothing changed) to shrink a node below
  // what its jobs hold.
  bool define(const std::string& name, const Inventory& inventory);

  void drain(const std::string& name, const std::string& reason, const std::string& by,
             WallMs at_ms);
  void resume(const std::string& name);
  // What the node can do is known now, or forgotten. Unknown nodes are passed over.
  void set_profile(const std::string& name, const std::optional<NodeProfile>& profile);
  // Launches of lower sequences are known to be over there. Going back changes nothing.
  void declare_dead(const std::string& name, LaunchSequence below, const std::string& proof);

  // True when every share of the plan fits what is free now: the ledger's check on policies.
  bool fits(const JobSpec& spec, const Plan& plan) const;
  // The concrete cores and devices that a fitting plan would get: of as few of a node's memory
  // domains as hold them, those that are fullest first, and the lowest numbers there.
  Placement choose(const JobSpec& spec, const Plan& plan) const;
  // Takes exactly what the placement says, now or at replay; asserts that it is free.
  void take(const Placement& placement);
  void give_back(const Placement& placement);

  const Node* find(const std::string& name) const;
  Node* find(const std::string& name);
  NodeIndex index(const std::string& name) const;  // -1: unknown
  // Likewise, of its node: without a search where the share knows the number.
  NodeIndex index(const NodeShare& share) const;
  // Has its shares know their nodes' numbers, whatever they knew before.
  void number(Placement& placement) const;
  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& nodes() { return nodes_; }

  // What is free on the nodes now, and what would be if nothing ran.
  const FreeTable& free() const { return free_; }
  const FreeTable& whole() const { return whole_; }
  // Counts up whenever a node comes or another one has other cores, memory, devices or figures than
  // before.
  std::uint64_t inventories() const { return inventories_; }

  // Asserts that free and taken add up on every node, given what every placed job holds.
  void check(const std::vector<const Placement*>& placements) const;

 private:
  void add(const std::string& name, const Inventory& inventory);
  bool change(Node& node, const Inventory& inventory);
  void rebuild_tables();

  std::vector<Node> nodes_;  // by name, as people count
  std::unordered_map<std::string, NodeIndex> by_name_;
  std::vector<std::string> names_;  // theirs, side by side: every pass asks for many
  FreeTable free_;
  FreeTable whole_;
  std::uint64_t inventories_ = 0;
};

}  // namespace hyades
