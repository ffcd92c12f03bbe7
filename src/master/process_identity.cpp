#include "master/process_identity.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hyades {

namespace {

// Fields 3 (state) and 22 (start time) of /proc/<pid>/stat; the command name before them may hold
// anything, also blanks and parentheses.
bool read_stat(pid_t pid, char& state, std::uint64_t& start_ticks) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t length = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (length <= 0) return false;
  text[length] = '\0';
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] == '\0') return false;
  at += 2;
  state = *at;
  for (int field = 3; field < 22; ++field) {
    at = std::strchr(at, ' ');
    if (at == nullptr) return false;
    ++at;
  }
  start_ticks = std::strtoull(at, nullptr, 10);
  return true;
}

}  // namespace

ProcessIdentity identify(pid_t pid) {
  char state = 0;
  ProcessIdentity identity{pid, 0};
  if (pid <= 0 || !read_stat(pid, state, identity.start_ticks) || state == 'Z' || state == 'X') {
    identity.start_ticks = 0;
  }
  return identity;
}

ProcessIdentity own_identity() { return identify(getpid()); }

UniqueFd open_process(const ProcessIdentity& identity) {
  if (identity.pid <= 0 || identity.start_ticks == 0) return UniqueFd();
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, identity.pid, 0)));
  // The pidfd is taken first: if the process is the right one afterwards, it was so before.
  if (!process || identify(identity.pid) != identity) return UniqueFd();
  return process;
}

}  // namespace hyades
