// What every process of the machine uses, in one pass over /proc: a file a process, about 4 us
// each.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hyades {

struct ProcessUse {
  pid_t pid = 0;
  pid_t parent = 0;
  // Of its threads and of its children that have ended and that it has waited for, user and system:
  // a child's time is in no other process's, so that sums over processes count nothing twice.
  double cpu_s = 0;
  std::int64_t resident_kib = 0;
  int threads = 0;
};

// A line of /proc/<pid>/stat. False: malformed.
bool parse_process_use(std::string_view text, ProcessUse& out);

class ProcessScan {
 public:
  // `root`: "" for this machine, or a tree with a /proc of its own.
  explicit ProcessScan(const std::string& root = "");
  ~ProcessScan();
  ProcessScan(const ProcessScan&) = delete;
  ProcessScan& operator=(const ProcessScan&) = delete;

  // Looks at all of them; who ends meanwhile is left out. False: /proc cannot be read.
  bool look();

  // Those below `ancestor`, as of the last look, in no order.
  std::vector<ProcessUse> below(pid_t ancestor) const;

 private:
  int proc_ = -1;
  std::size_t count_ = 0;
  std::unordered_map<pid_t, std::vector<ProcessUse>> children_;
};

}  // namespace hyades
