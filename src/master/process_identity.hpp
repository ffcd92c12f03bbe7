// A process, named so that a later one with the same number is not mistaken for it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "wire/unique_fd.hpp"

namespace hyades {

struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // since boot, from /proc/<pid>/stat

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

ProcessIdentity own_identity();
// start_ticks is 0 when there is no such process.
ProcessIdentity identify(pid_t pid);

// A pidfd for exactly this process; empty when it is gone (or only a zombie is left). A pidfd
// becomes readable when its process ends.
UniqueFd open_process(const ProcessIdentity& identity);

}  // namespace hyades
