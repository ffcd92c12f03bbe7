// Version 2: one hierarchy. On systems where the controllers belong to version 1 it has none, and
// still kills and counts.
#pragma once

#include <set>
#include <string>

#include "worker/cgroup.hpp"

namespace hyades {

class CgroupV2 final : public CgroupTree {
 public:
  // `base`: this process's own group. Turns on the controllers that it can give to groups below.
  // `forbid_devices`: finds out whether it can; not needed where version 1 does.
  CgroupV2(std::string base, bool forbid_devices);

  // False: no group can be made, or the kernel is older than 5.14 and cannot kill one.
  bool usable() const { return usable_; }

  std::string describe() const override;
  std::string create(const std::string& name, const CgroupLimits& limits) override;
  bool binds_cpus() const override;
  std::string set_cpus(const std::string& name, const std::vector<int>& cpus) override;
  bool enter(const std::string& name) override;
  bool kill(const std::string& name) override;
  bool is_empty(const std::string& name) override;
  bool remove(const std::string& name) override;
  void tidy_up() override;
  void measure(const std::string& name, CgroupUsage& usage) override;

 private:
  std::string path(const std::string& name) const { return base_ + "/hyades/" + name; }
  bool can_kill() const;
  bool can_forbid_devices() const;
  bool set(const std::string& name, const char* file, const std::string& value);

  std::string base_;
  std::set<std::string> controllers_;
  bool forbids_devices_ = false;
  bool usable_ = false;
};

}  // namespace hyades
