// What processes use, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hyades {

struct NamedProcess {
  std::string name;
  pid_t pid = 0;
};

std::vector<pid_t> children_of(pid_t parent);

// CPU time of all threads that live, twice: in ticks of 10 ms that also count threads that have
// ended, and in nanoseconds by the scheduler.
struct CpuTime {
  double ticks_s = 0;
  double scheduler_s = 0;
};
CpuTime cpu_time(pid_t pid);

// The larger of what the two clocks say.
double cpu_between(const CpuTime& from, const CpuTime& to);

struct MemoryUse {
  std::int64_t rss_kib = 0;
  std::int64_t pss_kib = 0;  // shared pages by halves, thirds, ...
};
MemoryUse memory_use(pid_t pid);

}  // namespace hyades
