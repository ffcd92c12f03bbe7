#include "telemetry/topology.hpp"

#include <hwloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <set>

namespace hyades {
namespace {

struct Destroy {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using Handle = std::unique_ptr<hwloc_topology, Destroy>;

constexpr unsigned pci_display_class = 0x03;
constexpr unsigned nvidia_vendor = 0x10de;

MiB memory_of_this_machine() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  MiB kib = 0;
  std::string unit;
  while (file >> name >> kib) {
    if (name == "MemTotal:") return kib / 1024;
    std::getline(file, unit);
  }
  return 0;
}

MiB memory_of(hwloc_topology_t topology) {
  return static_cast<MiB>(hwloc_get_root_obj(topology)->total_memory >> 20);
}

bool is_gpu_backend(const char* subtype) {
  static constexpr const char* backends[] = {"CUDA", "NVML", "RSMI", "LevelZero"};
  return subtype != nullptr &&
         std::any_of(std::begin(backends), std::end(backends),
                     [&](const char* backend) { return std::strcmp(subtype, backend) == 0; });
}

// A GPU shows up once per library that knows it (and once as a display), so its places on the
// PCI bus are counted, not its names. In the order of the bus, as the drivers number them.
std::vector<hwloc_obj*> find_gpus(hwloc_topology_t topology) {
  std::set<hwloc_obj_t> found;
  for (hwloc_obj_t device = nullptr;
       (device = hwloc_get_next_osdev(topology, device)) != nullptr;) {
    if (is_gpu_backend(device->subtype)) found.insert(device->parent);
  }
  // hwloc may have been built without the vendor's library; then the driver speaks for the device.
  const bool driver = hwloc_topology_is_thissystem(topology) && access("/dev/nvidiactl", F_OK) == 0;
  for (hwloc_obj_t device = nullptr;
       (device = hwloc_get_next_pcidev(topology, device)) != nullptr;) {
    const auto& pci = device->attr->pcidev;
    if (driver && pci.vendor_id == nvidia_vendor && pci.class_id >> 8 == pci_display_class) {
      found.insert(device);
    }
  }
  std::vector<hwloc_obj*> gpus(found.begin(), found.end());
  std::sort(gpus.begin(), gpus.end(),
            [](hwloc_obj_t a, hwloc_obj_t b) { return a->logical_index < b->logical_index; });
  return gpus;
}

// An mpirun that binds its ranks says nothing about what jobs may use; any other restriction of
// this process (taskset) was meant for all of Hyades.
bool is_bound_by_mpirun() { return std::getenv("OMPI_MCA_orte_bound_at_launch") != nullptr; }

class Affinity {
 public:
  Affinity() : known_(sched_getaffinity(0, sizeof set_, &set_) == 0) {}
  bool allows(unsigned cpu) const { return !known_ || cpu >= CPU_SETSIZE || CPU_ISSET(cpu, &set_); }

 private:
  cpu_set_t set_ = {};
  bool known_;
};

void check(int result, const std::string& what) {
  if (result != 0) throw TopologyError(what + ": " + std::strerror(errno));
}

}  // namespace

Topology Topology::read(const std::string& synthetic, const std::string& xml_file) {
  hwloc_topology_t raw = nullptr;
  check(hwloc_topology_init(&raw), "cannot start hwloc");
  Handle handle(raw);
  if (!synthetic.empty()) {
    check(hwloc_topology_set_synthetic(raw, synthetic.c_str()),
          "hwloc does not understand the synthetic topology \"" + synthetic + '"');
  }
  if (!xml_file.empty()) {
    check(hwloc_topology_set_xml(raw, xml_file.c_str()),
          "hwloc cannot read the topology in " + xml_file);
  }
  hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  check(hwloc_topology_load(raw), "hwloc cannot read the topology");

  Topology topology;
  topology.is_this_machine_ = hwloc_topology_is_thissystem(raw) != 0;
  const Affinity affinity;
  const bool restricted = topology.is_this_machine_ && !is_bound_by_mpirun();
  const int count = std::max(hwloc_get_nbobjs_by_type(raw, HWLOC_OBJ_PU), 0);
  for (int i = 0; i < count; ++i) {
    const hwloc_obj_t unit = hwloc_get_obj_by_type(raw, HWLOC_OBJ_PU, static_cast<unsigned>(i));
    const hwloc_obj_t above = hwloc_get_ancestor_obj_by_type(raw, HWLOC_OBJ_PACKAGE, unit);
    const int package = above == nullptr ? 0 : static_cast<int>(above->os_index);
    // What another group of processors has counts, too.
    topology.package_sizes_[package] =
        above == nullptr ? count : hwloc_bitmap_weight(above->complete_cpuset);
    if (restricted && !affinity.allows(unit->os_index)) continue;
    topology.cores_.push_back(
        {static_cast<int>(unit->os_index), hwloc_bitmap_first(unit->nodeset), package});
  }
  if (topology.cores_.empty()) throw TopologyError("hwloc found no processor in the topology");
  topology.packages_ = std::max(hwloc_get_nbobjs_by_type(raw, HWLOC_OBJ_PACKAGE), 1);
  topology.numa_nodes_ = std::max(hwloc_get_nbobjs_by_type(raw, HWLOC_OBJ_NUMANODE), 1);
  topology.inventory_.cores = static_cast<int>(topology.cores_.size());
  topology.inventory_.memory_mib =
      topology.is_this_machine_ ? memory_of_this_machine() : memory_of(raw);
  const std::vector<hwloc_obj*> gpus = find_gpus(raw);
  if (!gpus.empty()) {
    topology.inventory_.devices.push_back({"gpu", static_cast<int>(gpus.size())});
  }
  if (topology.numa_nodes_ > 1) topology.inventory_.domains = topology.domains_with(gpus);
  return topology;
}

Topology Topology::load() {
  const char* xml_file = std::getenv("HWLOC_XMLFILE");
  const char* synthetic = std::getenv("HWLOC_SYNTHETIC");
  if (xml_file != nullptr && *xml_file != '\0') return from_xml_file(xml_file);
  return read(synthetic == nullptr ? "" : synthetic, "");
}

Topology Topology::from_synthetic(const std::string& description) { return read(description, ""); }

Topology Topology::from_xml_file(const std::string& path) { return read("", path); }

// Those in which there is a core; a device is near the first whose cores reach it directly.
std::vector<MemoryDomain> Topology::domains_with(const std::vector<hwloc_obj*>& gpus) const {
  std::map<int, MemoryDomain> domains;
  for (std::size_t core = 0; core < cores_.size(); ++core) {
    domains[cores_[core].numa].cores.insert(static_cast<int>(core));
  }
  for (std::size_t gpu = 0; gpu < gpus.size(); ++gpu) {
    hwloc_obj_t above = gpus[gpu]->parent;
    while (above != nullptr && above->nodeset == nullptr) above = above->parent;
    if (above == nullptr || hwloc_bitmap_weight(above->nodeset) != 1) continue;
    const auto domain = domains.find(hwloc_bitmap_first(above->nodeset));
    if (domain == domains.end()) continue;
    std::vector<DeviceGrant>& devices = domain->second.devices;
    if (devices.empty()) devices.push_back({"gpu", {}});
    devices.front().ids.insert(static_cast<int>(gpu));
  }
  std::vector<MemoryDomain> all;
  for (auto& [numa, domain] : domains) all.push_back(std::move(domain));
  return all;
}

std::vector<int> Topology::cpus_for(const IdSet& cores) const {
  std::vector<int> cpus;
  if (!is_this_machine_) return cpus;
  for (int core : cores.members()) {
    if (core < 0 || core >= inventory_.cores) return {};
    cpus.push_back(cores_[static_cast<std::size_t>(core)].cpu);
  }
  std::sort(cpus.begin(), cpus.end());
  return cpus;
}

IdSet Topology::whole_package(int package) const {
  IdSet cores;
  if (!is_this_machine_) return cores;
  for (std::size_t core = 0; core < cores_.size(); ++core) {
    if (cores_[core].package == package) cores.insert(static_cast<int>(core));
  }
  const auto size = package_sizes_.find(package);
  const bool whole = size != package_sizes_.end() && size->second == cores.size();
  return whole ? cores : IdSet();
}

std::vector<int> Topology::numa_nodes_for(const IdSet& cores) const {
  std::set<int> nodes;
  for (int core : cores.members()) {
    if (core >= 0 && core < inventory_.cores) {
      nodes.insert(cores_[static_cast<std::size_t>(core)].numa);
    }
  }
  return {nodes.begin(), nodes.end()};
}

}  // namespace hyades
