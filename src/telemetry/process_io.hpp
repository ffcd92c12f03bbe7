// What a process has moved to and from storage, by the kernel's account (/proc/<pid>/io). What it
// says of a process includes its children that ended and were waited for, but not those that live.
//
// The kernel shows it to the process's own user and to root alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace hyades {

struct ProcessIo {
  std::int64_t read_bytes = 0;   // from devices: what the page cache had is not among it
  std::int64_t write_bytes = 0;  // that have to go to devices

  friend bool operator==(const ProcessIo&, const ProcessIo&) = default;
};

// False: malformed.
bool parse_process_io(std::string_view text, ProcessIo& out);

class ProcessIoReader {
 public:
  enum class Answer { Known, Gone, Forbidden };

  // `root`: "" for this machine, or a tree with a /proc of its own.
  explicit ProcessIoReader(const std::string& root = "");
  ~ProcessIoReader();
  ProcessIoReader(const ProcessIoReader&) = delete;
  ProcessIoReader& operator=(const ProcessIoReader&) = delete;

  // Whether the kernel keeps this account at all; where it does not, every process is Gone.
  bool is_kept() const { return kept_; }

  // `out` is set only where it is Known.
  Answer read(pid_t pid, ProcessIo& out) const;

 private:
  int proc_ = -1;
  bool kept_ = false;
};

}  // namespace hyades
