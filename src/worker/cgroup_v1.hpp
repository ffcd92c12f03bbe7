// Version 1: a hierarchy for each controller (or for several together).
#pragma once

#include <map>
#include <string>

#include "worker/cgroup.hpp"

namespace hyades {

class CgroupV1 final : public CgroupTree {
 public:
  // `bases`: this process's own group for each controller. Controllers that Hyades has no use for,
  // or whose directories cannot be written to, are left out. `to_kill`: have a group for each job
  // only in order to kill it at one blow; not needed where version 2 is there as well.
  CgroupV1(const std::map<std::string, std::string>& bases, bool to_kill);

  // False: nothing of it can be used.
  bool usable() const { return !bases_.empty(); }

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
  std::string path(const std::string& controller, const std::string& name) const;
  std::string limit(const std::string& controller, const std::string& name,
                    const CgroupLimits& limits);

  std::map<std::string, std::string> bases_;
};

}  // namespace hyades
