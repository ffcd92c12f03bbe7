// Which devices of a node a job may not touch. The kernel knows devices by number, so what counts
// is what the files in /dev are at the time; a file that is a symbolic link, or none, is nothing.
#pragma once

#include <string>
#include <vector>

#include "core/device_files.hpp"
#include "core/resources.hpp"

namespace hyades {

struct DeviceNumber {
  char type = 'c';  // or 'b'
  unsigned major = 0;
  unsigned minor = 0;

  friend bool operator==(const DeviceNumber&, const DeviceNumber&) = default;
};

// False: no device is there.
bool find_device(const std::string& path, DeviceNumber& out);

// Those that are there.
std::vector<DeviceNumber> find_devices(const std::vector<std::string>& paths);

// The files of devices, of the kinds that have some, that were not granted. A device that is the
// same as a granted one is not among them, whatever else it is called.
std::vector<std::string> forbidden_devices(const std::vector<DeviceFiles>& kinds,
                                           const std::vector<DeviceGrant>& granted);

}  // namespace hyades
