#include "worker/cgroup_v1.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "worker/cgroup_file.hpp"
#include "worker/device_rules.hpp"

namespace hyades {
namespace {

bool is_there(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

bool copy_setting(const std::string& from, const std::string& to, const char* file) {
  std::string text;
  return read_cgroup_file(from + '/' + file, text) && write_cgroup_file(to + '/' + file, text);
}

// A cpuset without cores or memory nodes takes no process; from here on groups inherit theirs.
void prepare_cpuset(const std::string& path) {
  const std::string above = path.substr(0, path.rfind('/'));
  copy_setting(above, path, "cpuset.cpus");
  copy_setting(above, path, "cpuset.mems");
  write_cgroup_file(path + "/cgroup.clone_children", "1");
}

bool wants(const std::string& controller, const CgroupLimits& limits) {
  if (controller == "memory") return limits.memory_mib > 0;
  if (controller == "pids") return limits.processes > 0;
  if (controller == "cpuset") return !limits.cpus.empty();
  if (controller == "devices") return !limits.forbidden_devices.empty();
  return true;  // the freezer, for the kill
}

bool limit_memory(const std::string& path, std::int64_t mib) {
  const std::string bytes = std::to_string(mib << 20);
  if (!write_cgroup_file(path + "/memory.limit_in_bytes", bytes)) return false;
  // Memory and swap together, where swap is counted: or the job would swap instead of ending.
  const std::string with_swap = path + "/memory.memsw.limit_in_bytes";
  return !is_there(with_swap) || write_cgroup_file(with_swap, bytes);
}

bool forbid_device(const std::string& path, const DeviceNumber& device) {
  const std::string rule = std::string(1, device.type) + ' ' + std::to_string(device.major) + ':' +
                           std::to_string(device.minor) + " rwm";
  return write_cgroup_file(path + "/devices.deny", rule);
}

std::vector<pid_t> members(const std::string& path) {
  std::string text;
  read_cgroup_file(path + "/cgroup.procs", text);
  std::vector<pid_t> result;
  std::istringstream lines(text);
  for (pid_t pid = 0; lines >> pid;) {
    if (pid > 0) result.push_back(pid);
  }
  return result;
}

}  // namespace

CgroupV1::CgroupV1(const std::map<std::string, std::string>& bases, bool to_kill) {
  for (const char* controller : {"cpuset", "memory", "pids", "devices", "freezer"}) {
    const auto base = bases.find(controller);
    if (base == bases.end() || access(base->second.c_str(), W_OK) != 0) continue;
    if (controller == std::string("freezer") && !to_kill) continue;
    bases_.insert(*base);
  }
}

std::string CgroupV1::describe() const {
  std::string text;
  for (const auto& [controller, base] : bases_) text += (text.empty() ? "" : ", ") + controller;
  return "cgroup v1 (" + text + ')';
}

std::string CgroupV1::path(const std::string& controller, const std::string& name) const {
  return bases_.at(controller) + "/hyades/" + name;
}

std::string CgroupV1::create(const std::string& name, const CgroupLimits& limits) {
  for (const auto& [controller, base] : bases_) {
    if (!wants(controller, limits)) continue;
    const bool is_cpuset = controller == "cpuset";
    const bool made = make_cgroup(base, "hyades/" + name, [&](const std::string& upper) {
      if (is_cpuset) prepare_cpuset(upper);
    });
    if (!made) {
      return "cannot create the control group " + path(controller, name) + ": " +
             std::strerror(errno);
    }
    const std::string trouble = limit(controller, name, limits);
    if (!trouble.empty()) return trouble;
  }
  return "";
}

std::string CgroupV1::limit(const std::string& controller, const std::string& name,
                            const CgroupLimits& limits) {
  const std::string path = this->path(controller, name);
  bool good = true;
  std::string what = controller;
  if (controller == "memory") good = limit_memory(path, limits.memory_mib);
  if (controller == "pids") {
    good = write_cgroup_file(path + "/pids.max", std::to_string(limits.processes));
  }
  if (controller == "cpuset") {
    what = "cores " + cpu_list(limits.cpus);
    good = write_cgroup_file(path + "/cpuset.cpus", cpu_list(limits.cpus));
  }
  if (controller == "devices") {
    for (const DeviceNumber& device : find_devices(limits.forbidden_devices)) {
      good = good && forbid_device(path, device);
    }
  }
  if (good) return "";
  return "cannot set the limit on " + what + " of the control group " + path + ": " +
         std::strerror(errno);
}

bool CgroupV1::binds_cpus() const { return bases_.contains("cpuset"); }

std::string CgroupV1::set_cpus(const std::string& name, const std::vector<int>& cpus) {
  const std::string path = this->path("cpuset", name);
  if (!is_there(path)) return "";
  std::string trouble = limit("cpuset", name, {.cpus = cpus});
  return is_there(path) ? trouble : "";  // it may have gone just now
}

bool CgroupV1::enter(const std::string& name) {
  for (const auto& [controller, base] : bases_) {
    const std::string path = this->path(controller, name);
    // One without a limit has no group.
    if (!write_cgroup_file(path + "/cgroup.procs", "0") && errno != ENOENT) return false;
  }
  return true;
}

// Nobody who is frozen can fork, end, or hand its number to somebody else.
bool CgroupV1::kill(const std::string& name) {
  errno = 0;
  if (!bases_.contains("freezer")) return false;
  const std::string path = this->path("freezer", name);
  write_cgroup_file(path + "/freezer.state", "FROZEN");
  for (pid_t pid : members(path)) ::kill(pid, SIGKILL);
  return write_cgroup_file(path + "/freezer.state", "THAWED");
}

bool CgroupV1::is_empty(const std::string& name) {
  for (const auto& [controller, base] : bases_) {
    if (!members(path(controller, name)).empty()) return false;
  }
  return true;
}

bool CgroupV1::remove(const std::string& name) {
  bool gone = true;
  for (const auto& [controller, base] : bases_) {
    gone = remove_cgroup(path(controller, name)) && gone;
  }
  return gone;
}

void CgroupV1::tidy_up() {
  for (const auto& [controller, base] : bases_) remove_empty_cgroups(base + "/hyades");
}

void CgroupV1::measure(const std::string& name, CgroupUsage& usage) {
  if (!bases_.contains("memory")) return;
  const std::string path = this->path("memory", name);
  std::string text;
  if (read_cgroup_file(path + "/memory.max_usage_in_bytes", text)) {
    usage.peak_kib = cgroup_number(text, 0) / 1024;
  }
  if (read_cgroup_file(path + "/memory.oom_control", text)) {
    usage.killed_for_memory += static_cast<int>(cgroup_number(text, "oom_kill", 0));
  }
}

}  // namespace hyades
