// Where this process's control groups are, from the texts of /proc/self/mountinfo and
// /proc/self/cgroup. Pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace hyades {

struct CgroupMounts {
  // Of version 1: the directory of this process's own group, for each controller.
  std::map<std::string, std::string> v1;
  std::string v2;  // the same in the unified hierarchy; "": there is none

  friend bool operator==(const CgroupMounts&, const CgroupMounts&) = default;
};

CgroupMounts parse_cgroup_mounts(std::string_view mountinfo, std::string_view own_groups);

}  // namespace hyades
