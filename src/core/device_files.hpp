// Which files in /dev a node's devices are, as the configuration says it for a kind of device.
#pragma once

#include <string>
#include <vector>

namespace hyades {

// "/dev/nvidia%d": a path in which %d stands for the index of a device on its node, or %+128d for
// the index and 128 more.
struct DeviceFiles {
  std::string kind;
  std::vector<std::string> patterns;

  friend bool operator==(const DeviceFiles&, const DeviceFiles&) = default;
};

// An absolute path with exactly one %d or %+Nd, N at most 999,999, and no other '%'.
bool is_device_pattern(const std::string& text);

// The file of a device; "" when it is no such pattern.
std::string device_path(const std::string& pattern, int index);

}  // namespace hyades
