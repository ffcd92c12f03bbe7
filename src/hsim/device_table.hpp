// What was measured of each kind of device: how fast it does each kind of work, alone and beside
// other work. Gavel's throughput table (Narayanan et al., OSDI'20).
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace hyades {

// What a job does, on so many devices at once.
struct DeviceWork {
  std::string type;  // "ResNet-18 (batch size 16)"
  int workers = 1;

  friend auto operator<=>(const DeviceWork&, const DeviceWork&) = default;
};

// "ResNet-18 (batch size 16) on 2"
std::string text_of(const DeviceWork& work);
// A name that a work class may have: "ResNet-18_batch_size_16_x2".
std::string class_name_of(const DeviceWork& work);

// Two kinds of work on one device, beside each of them alone.
struct CoLocation {
  std::string device;
  double together = 0;  // sum of both, each beside itself alone; 1: nothing gained. 0: too large
};

class ThroughputTable {
 public:
  // `text` is the table of `name`, which sentences about it begin with. Throws Failure.
  ThroughputTable(const std::string& name, const std::string& text);

  std::vector<DeviceWork> works() const;                                // on any device
  const std::vector<std::string>& devices() const { return devices_; }  // "k80", "p100", "v100"
  bool has_device(const std::string& device) const;
  bool knows(const DeviceWork& work) const;
  // Steps a second of the whole job, on devices of one server or `spread` over several. 0: such
  // work does not fit there, or was not measured.
  double rate(const std::string& device, const DeviceWork& work, bool spread = false) const;
  const std::vector<CoLocation>& co_locations() const { return co_locations_; }  // each pair once

 private:
  using Rates = std::map<DeviceWork, double>;

  std::vector<std::string> devices_;
  std::map<std::string, Rates> rates_;  // by device, or device with "_unconsolidated"
  std::vector<CoLocation> co_locations_;
};

// Throws Failure.
ThroughputTable read_throughput_table(const std::string& path);

struct CoLocationFacts {
  std::size_t pairs = 0;    // that fit together
  std::size_t misfits = 0;  // that do not
  double median = 0;        // of what those that fit do together
  double losing_share = 0;  // of those, the ones that do less than one after the other
};
// "": of all devices.
CoLocationFacts co_location_facts(const ThroughputTable& table, const std::string& device = "");

}  // namespace hyades
