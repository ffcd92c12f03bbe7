// The control groups that this machine has to offer, all versions together: what a launch is put
// into, and by which it is counted and killed. Everything here is a no-op that succeeds when there
// are none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "worker/cgroup.hpp"

namespace hyades {

enum class CgroupUse {
  Any,     // whatever is there
  V1Only,  // for tests, and where one of the two gives trouble
  V2Only,
  Off
};

class Containment {
 public:
  // Off.
  Containment() = default;

  // Looks at where this process is in the machine's hierarchies; call it before any job is there.
  static Containment find(CgroupUse use);
  // By the environment variable HYADES_CGROUPS ("v1", "v2", "off"; else Any).
  static Containment find_as_told();

  // For people: "cgroup v2 without controllers, cgroup v1 (cpuset, memory, pids)", or "no control
  // groups".
  std::string describe() const;
  bool any() const { return !trees_.empty(); }

  // Returns "" or what failed; nothing is left then.
  std::string create(const std::string& name, const CgroupLimits& limits);
  bool binds_cpus() const;
  // As in CgroupTree, in those trees that bind to cores.
  std::string set_cpus(const std::string& name, const std::vector<int>& cpus);
  // Moves the calling process in. False: errno says why.
  bool enter(const std::string& name);
  // Kills everything in it at one blow, as far as there is a means to. "", of a launch that has
  // none any more, is nobody.
  void kill(const std::string& name);
  bool is_empty(const std::string& name);
  bool remove(const std::string& name);
  CgroupUsage measure(const std::string& name);

  // Removes the groups above the launches' that nobody needs any more. Whoever makes a group at the
  // same time makes them again.
  void tidy_up();

 private:
  std::vector<std::unique_ptr<CgroupTree>> trees_;
};

// Kills what is in the group and waits until it is gone, `most_ms` at most. True: it is gone.
bool end_group(Containment& containment, const std::string& name, int most_ms);

}  // namespace hyades
