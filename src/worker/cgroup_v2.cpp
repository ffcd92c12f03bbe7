#include "worker/cgroup_v2.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "worker/cgroup_file.hpp"
#include "worker/device_program.hpp"

namespace hyades {
namespace {

// Passes a controller on to the groups below `path`. The kernel refuses it for a group that has
// processes of its own, unless it is the root.
bool pass_on(const std::string& path, const std::string& controller) {
  return write_cgroup_file(path + "/cgroup.subtree_control", '+' + controller);
}

}  // namespace

CgroupV2::CgroupV2(std::string base, bool forbid_devices) : base_(std::move(base)) {
  usable_ = access(base_.c_str(), W_OK) == 0 && can_kill();
  forbids_devices_ = usable_ && forbid_devices && can_forbid_devices();
  std::string text;
  if (!usable_ || !read_cgroup_file(base_ + "/cgroup.controllers", text)) return;
  std::istringstream words(text);
  for (std::string controller; words >> controller;) {
    const bool wanted = controller == "cpuset" || controller == "memory" || controller == "pids";
    if (wanted && pass_on(base_, controller)) controllers_.insert(controller);
  }
}

// Looked up in a group that is made for it: the root has no such file.
bool CgroupV2::can_kill() const {
  const std::string probe = base_ + "/hyades";
  if (!make_cgroup_directory(probe)) return false;
  const bool can = access((probe + "/cgroup.kill").c_str(), W_OK) == 0;
  remove_cgroup(probe);  // stays when it is in use
  return can;
}

// Tried with a program that forbids nothing, in a group that nobody is in.
bool CgroupV2::can_forbid_devices() const {
  const std::string probe = base_ + "/hyades-probe-" + std::to_string(getpid());
  if (!make_cgroup_directory(probe)) return false;
  const bool can = forbid_devices(probe, {});
  remove_cgroup(probe);
  return can;
}

std::string CgroupV2::describe() const {
  std::string text = forbids_devices_ ? "devices" : "";
  for (const std::string& one : controllers_) text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "cgroup v2 without controllers" : "cgroup v2 (" + text + ')';
}

bool CgroupV2::set(const std::string& name, const char* file, const std::string& value) {
  return write_cgroup_file(path(name) + '/' + file, value);
}

std::string CgroupV2::create(const std::string& name, const CgroupLimits& limits) {
  const bool made = make_cgroup(base_, "hyades/" + name, [&](const std::string& upper) {
    for (const std::string& controller : controllers_) pass_on(upper, controller);
  });
  bool good = made;
  if (good && limits.memory_mib > 0 && controllers_.contains("memory")) {
    good = set(name, "memory.max", std::to_string(limits.memory_mib << 20));
    // Or the job would swap instead of ending; not there when swap is not counted.
    if (good) set(name, "memory.swap.max", "0");
  }
  if (good && limits.processes > 0 && controllers_.contains("pids")) {
    good = set(name, "pids.max", std::to_string(limits.processes));
  }
  if (good && !limits.cpus.empty() && controllers_.contains("cpuset")) {
    good = set(name, "cpuset.cpus", cpu_list(limits.cpus));
  }
  if (good && forbids_devices_ && !limits.forbidden_devices.empty()) {
    good = forbid_devices(path(name), find_devices(limits.forbidden_devices));
  }
  if (good) return "";
  return std::string(made ? "cannot set the limits of" : "cannot create") + " the control group " +
         path(name) + ": " + std::strerror(errno);
}

bool CgroupV2::binds_cpus() const { return controllers_.contains("cpuset"); }

std::string CgroupV2::set_cpus(const std::string& name, const std::vector<int>& cpus) {
  if (access(path(name).c_str(), F_OK) != 0) return "";
  if (set(name, "cpuset.cpus", cpu_list(cpus)) || access(path(name).c_str(), F_OK) != 0) return "";
  return "cannot set the cores " + cpu_list(cpus) + " of the control group " + path(name) + ": " +
         std::strerror(errno);
}

bool CgroupV2::enter(const std::string& name) { return set(name, "cgroup.procs", "0"); }

bool CgroupV2::kill(const std::string& name) { return set(name, "cgroup.kill", "1"); }

bool CgroupV2::is_empty(const std::string& name) {
  std::string text;
  if (!read_cgroup_file(path(name) + "/cgroup.events", text)) return errno == ENOENT;
  return cgroup_number(text, "populated", 1) == 0;
}

bool CgroupV2::remove(const std::string& name) { return remove_cgroup(path(name)); }

void CgroupV2::tidy_up() { remove_empty_cgroups(base_ + "/hyades"); }

void CgroupV2::measure(const std::string& name, CgroupUsage& usage) {
  std::string text;
  if (read_cgroup_file(path(name) + "/cpu.stat", text)) {
    usage.user_ms = cgroup_number(text, "user_usec", 0) / 1000;
    usage.system_ms = cgroup_number(text, "system_usec", 0) / 1000;
  }
  if (!controllers_.contains("memory")) return;
  if (read_cgroup_file(path(name) + "/memory.peak", text)) {
    usage.peak_kib = cgroup_number(text, 0) / 1024;
  }
  if (read_cgroup_file(path(name) + "/memory.events", text)) {
    usage.killed_for_memory += static_cast<int>(cgroup_number(text, "oom_kill", 0));
  }
}

}  // namespace hyades
