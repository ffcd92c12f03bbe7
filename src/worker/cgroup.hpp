// Control groups: one for each launch, in the hierarchies of one version of the kernel's interface.
// Groups are made below the one in which this process itself is, as hyades/<cluster>/<launch>, so
// that limits on Hyades as a whole hold for its jobs, and no group of anybody else is touched.
//
// Needs no more than that those directories can be written to; a tree that cannot is not there.
// Single-threaded callers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hyades {

// What a job may use. What is not limited needs no group.
struct CgroupLimits {
  std::int64_t memory_mib = 0;                 // 0: no limit
  int processes = 0;                           // and threads; 0: no limit
  std::vector<int> cpus;                       // empty: all
  std::vector<std::string> forbidden_devices;  // files
};

// What it has used, as far as its groups can tell.
struct CgroupUsage {
  std::optional<std::int64_t> peak_kib;  // of memory, with the files that it had cached
  std::optional<std::int64_t> user_ms;
  std::optional<std::int64_t> system_ms;
  int killed_for_memory = 0;  // processes
};

class CgroupTree {
 public:
  virtual ~CgroupTree() = default;

  // For people: "cgroup v1 (cpuset, memory, pids)".
  virtual std::string describe() const = 0;

  // Makes the group `name` ("<cluster>/<launch>") with those limits. Returns "" or what failed.
  virtual std::string create(const std::string& name, const CgroupLimits& limits) = 0;
  // Whether groups here can be bound to cores.
  virtual bool binds_cpus() const = 0;
  // Those in the group run on these from now on. Returns "" or what failed; a group that is not
  // there any more has not failed.
  virtual std::string set_cpus(const std::string& name, const std::vector<int>& cpus) = 0;
  // Moves the calling process into it. False: errno says why.
  virtual bool enter(const std::string& name) = 0;
  // Kills everything in it at one blow. False: this tree has no means to; errno is 0 then.
  virtual bool kill(const std::string& name) = 0;
  virtual bool is_empty(const std::string& name) = 0;
  // Once it is empty. False: it is still there.
  virtual bool remove(const std::string& name) = 0;
  // Removes the groups above those that nobody needs any more.
  virtual void tidy_up() = 0;
  // Adds what it knows to `usage`.
  virtual void measure(const std::string& name, CgroupUsage& usage) = 0;
};

}  // namespace hyades
