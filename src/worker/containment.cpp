#include "worker/containment.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "worker/boot_clock.hpp"
#include "worker/cgroup_mounts.hpp"
#include "worker/cgroup_v1.hpp"
#include "worker/cgroup_v2.hpp"

namespace hyades {
namespace {

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Containment Containment::find(CgroupUse use) {
  Containment found;
  if (use == CgroupUse::Off) return found;
  const CgroupMounts mounts =
      parse_cgroup_mounts(text_of("/proc/self/mountinfo"), text_of("/proc/self/cgroup"));
  if (use != CgroupUse::V1Only && !mounts.v2.empty()) {
    const auto v1_devices = mounts.v1.find("devices");
    const bool v1_forbids = use != CgroupUse::V2Only && v1_devices != mounts.v1.end() &&
                            access(v1_devices->second.c_str(), W_OK) == 0;
    auto v2 = std::make_unique<CgroupV2>(mounts.v2, !v1_forbids);
    if (v2->usable()) found.trees_.push_back(std::move(v2));
  }
  if (use != CgroupUse::V2Only) {
    auto v1 = std::make_unique<CgroupV1>(mounts.v1, found.trees_.empty());
    if (v1->usable()) found.trees_.push_back(std::move(v1));
  }
  return found;
}

Containment Containment::find_as_told() {
  const char* const told = std::getenv("HYADES_CGROUPS");
  const std::string word = told == nullptr ? "" : told;
  if (word == "off") return find(CgroupUse::Off);
  if (word == "v1") return find(CgroupUse::V1Only);
  return find(word == "v2" ? CgroupUse::V2Only : CgroupUse::Any);
}

std::string Containment::describe() const {
  std::string text;
  for (const auto& tree : trees_) text += (text.empty() ? "" : ", ") + tree->describe();
  return text.empty() ? "no control groups" : text;
}

std::string Containment::create(const std::string& name, const CgroupLimits& limits) {
  for (const auto& tree : trees_) {
    const std::string trouble = tree->create(name, limits);
    if (trouble.empty()) continue;
    remove(name);
    return trouble;
  }
  return "";
}

bool Containment::binds_cpus() const {
  return std::any_of(trees_.begin(), trees_.end(),
                     [](const auto& tree) { return tree->binds_cpus(); });
}

std::string Containment::set_cpus(const std::string& name, const std::vector<int>& cpus) {
  for (const auto& tree : trees_) {
    if (!tree->binds_cpus()) continue;
    if (std::string trouble = tree->set_cpus(name, cpus); !trouble.empty()) return trouble;
  }
  return "";
}

bool Containment::enter(const std::string& name) {
  for (const auto& tree : trees_) {
    if (!tree->enter(name)) return false;
  }
  return true;
}

void Containment::kill(const std::string& name) {
  if (name.empty()) return;  // that would be the group above all launches
  for (const auto& tree : trees_) tree->kill(name);
}

bool Containment::is_empty(const std::string& name) {
  for (const auto& tree : trees_) {
    if (!tree->is_empty(name)) return false;
  }
  return true;
}

bool Containment::remove(const std::string& name) {
  bool gone = true;
  for (const auto& tree : trees_) gone = tree->remove(name) && gone;
  return gone;
}

CgroupUsage Containment::measure(const std::string& name) {
  CgroupUsage usage;
  for (const auto& tree : trees_) tree->measure(name, usage);
  return usage;
}

void Containment::tidy_up() {
  for (const auto& tree : trees_) tree->tidy_up();
}

bool end_group(Containment& containment, const std::string& name, int most_ms) {
  const BootMs deadline = boot_now_ms() + most_ms;
  while (true) {
    if (containment.is_empty(name) && containment.remove(name)) return true;
    containment.kill(name);
    if (boot_now_ms() >= deadline) return false;
    poll(nullptr, 0, 1);
  }
}

}  // namespace hyades
