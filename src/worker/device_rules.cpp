#include "worker/device_rules.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

namespace hyades {
namespace {

// Looked for one by one: which there are is nobody's to say but the node's drivers'.
constexpr int index_max = 255;

bool is_granted(const std::vector<DeviceGrant>& granted, const std::string& kind, int index) {
  return std::any_of(granted.begin(), granted.end(), [&](const DeviceGrant& grant) {
    return grant.kind == kind && grant.ids.contains(index);
  });
}

}  // namespace

bool find_device(const std::string& path, DeviceNumber& out) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return false;
  if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) return false;
  out = {S_ISBLK(info.st_mode) ? 'b' : 'c', major(info.st_rdev), minor(info.st_rdev)};
  return true;
}

std::vector<DeviceNumber> find_devices(const std::vector<std::string>& paths) {
  std::vector<DeviceNumber> found;
  for (const std::string& path : paths) {
    DeviceNumber number;
    if (find_device(path, number)) found.push_back(number);
  }
  return found;
}

std::vector<std::string> forbidden_devices(const std::vector<DeviceFiles>& kinds,
                                           const std::vector<DeviceGrant>& granted) {
  std::vector<DeviceNumber> allowed;
  std::vector<std::pair<std::string, DeviceNumber>> others;
  for (const DeviceFiles& kind : kinds) {
    for (int index = 0; index <= index_max; ++index) {
      const bool is_ours = is_granted(granted, kind.kind, index);
      for (const std::string& pattern : kind.patterns) {
        const std::string path = device_path(pattern, index);
        DeviceNumber number;
        if (path.empty() || !find_device(path, number)) continue;
        if (is_ours) {
          allowed.push_back(number);
        } else {
          others.emplace_back(path, number);
        }
      }
    }
  }
  std::vector<std::string> result;
  for (const auto& [path, number] : others) {
    if (std::find(allowed.begin(), allowed.end(), number) == allowed.end()) result.push_back(path);
  }
  return result;
}

}  // namespace hyades
