// A snapshot of the machine's processes from /proc. Processes come and go while it is taken, so
// whoever must get all of something takes snapshots until one shows nothing.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace hyades {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  int terminal = 0;     // 0: none
  BootMs start_ms = 0;  // since boot, in steps of 10 ms
  bool zombie = false;
  std::string name;  // of its program, 15 letters at most; it may call itself anything

  friend bool operator==(const Process&, const Process&) = default;
};

// Reads a line of /proc/<pid>/stat. False: malformed.
bool parse_stat(std::string_view text, Process& out);

// Whether this error of looking at a process in /proc says that it has ended, or is another
// user's, rather than that the look failed.
bool is_gone_or_hidden(int error);

// False: some could not be looked at (no descriptor or memory left), so that nothing follows from
// what is missing. Processes that this one may not look at, being others', are left out.
bool read_processes(std::vector<Process>& out);
// For those who look again anyway.
std::vector<Process> read_processes();

// Those below `ancestor`, children before grandchildren, zombies included: one may have threads
// that still run.
std::vector<Process> descendants(const std::vector<Process>& all, pid_t ancestor);

// Sends the signal unless the process has ended meanwhile; never to another one that got its pid.
void signal_process(const Process& process, int signal);

}  // namespace hyades
