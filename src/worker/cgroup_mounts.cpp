#include "worker/cgroup_mounts.hpp"

#include <algorithm>
#include <vector>

namespace hyades {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// The group `own` of a hierarchy of which `root` is mounted at `point`; "" when it is elsewhere.
std::string directory(std::string_view point, std::string_view root, std::string_view own) {
  if (root != "/") {
    if (!own.starts_with(root)) return "";
    own.remove_prefix(root.size());
    if (!own.empty() && own.front() != '/') return "";
  }
  if (own.find("..") != own.npos) return "";  // outside of our name space
  while (own.ends_with('/')) own.remove_suffix(1);
  return std::string(point).append(own);
}

// Controller -> this process's group; "" is the unified hierarchy.
std::map<std::string_view, std::string_view> parse_own_groups(std::string_view text) {
  std::map<std::string_view, std::string_view> groups;
  for (std::string_view line : split(text, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    if (controllers.empty()) groups[""] = group;
    for (std::string_view controller : split(controllers, ',')) groups[controller] = group;
  }
  return groups;
}

}  // namespace

// A line of mountinfo: "31 23 0:28 <root> <mount point> <options> ... - <type> <source> <options>".
CgroupMounts parse_cgroup_mounts(std::string_view mountinfo, std::string_view own_groups) {
  const auto groups = parse_own_groups(own_groups);
  CgroupMounts mounts;
  for (std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    if (dash[1] == "cgroup2" && mounts.v2.empty() && groups.contains("")) {
      mounts.v2 = directory(words[4], words[3], groups.at(""));
    }
    if (dash[1] != "cgroup") continue;
    for (std::string_view controller : split(dash[3], ',')) {
      const auto own = groups.find(controller);
      if (own == groups.end() || controller.empty()) continue;
      const std::string path = directory(words[4], words[3], own->second);
      if (!path.empty()) mounts.v1.emplace(controller, path);
    }
  }
  return mounts;
}

}  // namespace hyades
