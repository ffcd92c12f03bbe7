// Reading and writing the files of control groups.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hyades {

// False: errno says why.
bool write_cgroup_file(const std::string& path, std::string_view text);
bool read_cgroup_file(const std::string& path, std::string& text);

// The number behind `name` in lines of "name number"; `fallback` when there is none.
std::int64_t cgroup_number(std::string_view text, std::string_view name, std::int64_t fallback);
// The text's only number.
std::int64_t cgroup_number(std::string_view text, std::int64_t fallback);

// "0,2,5"
std::string cpu_list(const std::vector<int>& cpus);

// Makes `base`/`name` and what is missing above it, down from `base`, and calls `prepare` with each
// directory that it makes above the last one. False: errno says why.
template <typename Prepare>
bool make_cgroup(const std::string& base, const std::string& name, Prepare prepare);

// True: the group is gone.
bool remove_cgroup(const std::string& path);

// Removes the groups in `path` that are empty, and `path` itself when nothing is left in it.
void remove_empty_cgroups(const std::string& path);

bool make_cgroup_directory(const std::string& path);  // true, too, when it is there

template <typename Prepare>
bool make_cgroup(const std::string& base, const std::string& name, Prepare prepare) {
  // Mostly only the last one is missing. Again, because somebody may be removing the upper ones.
  for (int tries = 0; tries < 10; ++tries) {
    if (make_cgroup_directory(base + '/' + name)) return true;
    if (errno != ENOENT) return false;
    for (std::size_t end = name.find('/'); end != name.npos; end = name.find('/', end + 1)) {
      const std::string upper = base + '/' + name.substr(0, end);
      if (make_cgroup_directory(upper)) prepare(upper);
    }
  }
  return false;
}

}  // namespace hyades
