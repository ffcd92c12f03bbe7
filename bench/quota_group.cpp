#include "quota_group.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace hyades {
namespace {

constexpr int kPeriod_us = 20'000;  // short: a job is slow evenly, not in jerks

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

}  // namespace

QuotaGroup::QuotaGroup(double share) {
  const bool v1 = std::filesystem::exists("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") ||
                  std::filesystem::exists("/sys/fs/cgroup/cpu/tasks");
  parent_ = v1 ? "/sys/fs/cgroup/cpu" : "/sys/fs/cgroup";
  path_ = parent_ + "/hyades-bench-" + std::to_string(getpid());
  if (mkdir(path_.c_str(), 0755) != 0) {
    throw std::runtime_error("cannot make " + path_ + ": " + std::strerror(errno) +
                             " (slow nodes are made by quotas of control groups: run as root)");
  }
  const std::string quota = std::to_string(static_cast<int>(share * kPeriod_us));
  const std::string period = std::to_string(kPeriod_us);
  const bool good =
      v1 ? write(path_ + "/cpu.cfs_period_us", period) && write(path_ + "/cpu.cfs_quota_us", quota)
         : write(path_ + "/cpu.max", quota + " " + period);
  if (good) return;
  rmdir(path_.c_str());
  throw std::runtime_error("cannot set a quota in " + path_);
}

QuotaGroup::~QuotaGroup() {
  std::ifstream members(path_ + "/cgroup.procs");
  for (std::string pid; members >> pid;) write(parent_ + "/cgroup.procs", pid);
  rmdir(path_.c_str());
}

void QuotaGroup::add(pid_t pid) {
  if (!write(path_ + "/cgroup.procs", std::to_string(pid))) {
    throw std::runtime_error("cannot move process " + std::to_string(pid) + " into " + path_);
  }
}

}  // namespace hyades
