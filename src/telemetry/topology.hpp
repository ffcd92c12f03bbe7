// What this node is made of, read once per worker (loading it per job is slow).
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/id_set.hpp"
#include "core/resources.hpp"

struct hwloc_obj;

namespace hyades {

class TopologyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Topology {
 public:
  // Of this machine, unless HWLOC_XMLFILE or HWLOC_SYNTHETIC describes another one. Throws
  // TopologyError when that description cannot be read.
  static Topology load();

  // From hwloc's synthetic notation, for example "package:2 numa:1 core:16 pu:1".
  static Topology from_synthetic(const std::string& description);
  static Topology from_xml_file(const std::string& path);

  // cores: the logical processors that this process may use. memory_mib: what /proc/meminfo says
  // for this machine (hwloc's sum is wrong in some virtual machines), hwloc's sum for another one.
  // devices: {"gpu", n} only when there really are some. features: none.
  const Inventory& inventory() const { return inventory_; }
  int packages() const { return packages_; }
  int numa_nodes() const { return numa_nodes_; }
  // False for XML and synthetic descriptions: nothing can be bound to them.
  bool is_this_machine() const { return is_this_machine_; }

  // The operating system's numbers of these cores. The ledger numbers a node's cores 0..n-1; here
  // that is hwloc's logical order, so neighbours share a core, an L3 cache, a NUMA node, a package
  // (in this order). Empty when any of the cores does not exist or this is not this machine.
  std::vector<int> cpus_for(const IdSet& cores) const;

  // The cores of a package (the operating system's number); none when another part of it is not
  // this node's, or this is not this machine.
  IdSet whole_package(int package) const;

  // The NUMA nodes (operating system's numbers, ascending) that these cores belong to.
  std::vector<int> numa_nodes_for(const IdSet& cores) const;

 private:
  std::vector<MemoryDomain> domains_with(const std::vector<hwloc_obj*>& gpus) const;

  struct Core {
    int cpu = 0;      // the operating system's number
    int numa = 0;     // likewise
    int package = 0;  // likewise
  };

  Topology() = default;
  static Topology read(const std::string& synthetic, const std::string& xml_file);

  Inventory inventory_;
  std::vector<Core> cores_;
  std::map<int, int> package_sizes_;  // cores, this node's or not
  int packages_ = 0;
  int numa_nodes_ = 0;
  bool is_this_machine_ = false;
};

}  // namespace hyades
