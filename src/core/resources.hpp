// What nodes have, what jobs ask for, and what a job was given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/id_set.hpp"

namespace hyades {

using MiB = std::int64_t;

// Index of a node in the master's node table; good until a new node joins, never stored or sent.
using NodeIndex = int;

// A countable named device, for example {"gpu", 2}.
struct DeviceCount {
  std::string kind;
  int count = 0;

  friend bool operator==(const DeviceCount&, const DeviceCount&) = default;
};

// Devices of one kind by index on their node, for example gpu 0-1.
struct DeviceGrant {
  std::string kind;
  IdSet ids;

  friend bool operator==(const DeviceGrant&, const DeviceGrant&) = default;
};

// Cores that reach one bank of memory fastest (a NUMA node), and the devices nearest to it.
struct MemoryDomain {
  IdSet cores;
  std::vector<DeviceGrant> devices;  // sorted by kind

  friend bool operator==(const MemoryDomain&, const MemoryDomain&) = default;
};

// What a node has, as its worker found it or the configuration says.
struct Inventory {
  int cores = 0;  // logical cores
  MiB memory_mib = 0;
  std::vector<DeviceCount> devices;   // sorted by kind, each kind once
  std::vector<std::string> features;  // sorted
  // As found, so that they may name cores and devices that the configuration keeps from jobs.
  // Empty: all cores are alike.
  std::vector<MemoryDomain> domains;

  friend bool operator==(const Inventory&, const Inventory&) = default;
};

// A job's part of one node: how many of its tasks, and exactly which cores and devices.
struct NodeShare {
  std::string node;
  // The node's number in the cluster where the job was placed, which saves every pass a search for
  // its name; -1: not known. It is neither stored nor sent nor compared: the name counts.
  NodeIndex at = -1;
  // The node's boot when the job was placed. With another one, the node may have lost what it knew
  // about the launch: a power cut takes what was not synced.
  std::string boot_id;
  int tasks = 0;
  IdSet cores;
  MiB memory_mib = 0;
  std::vector<DeviceGrant> devices;

  friend bool operator==(const NodeShare& a, const NodeShare& b) {
    return a.node == b.node && a.boot_id == b.boot_id && a.tasks == b.tasks && a.cores == b.cores &&
           a.memory_mib == b.memory_mib && a.devices == b.devices;
  }
};

// Everything a job holds. The first share is the node on which the batch script runs.
struct Placement {
  std::vector<NodeShare> shares;

  int cores() const;
  // "vn1,vn2": node names in share order.
  std::string node_names() const;

  friend bool operator==(const Placement&, const Placement&) = default;
};

}  // namespace hyades
