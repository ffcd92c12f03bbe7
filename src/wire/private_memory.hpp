// Scripts, environments and credentials pass through the daemons' memory: it is nobody else's.
#pragma once

#include <sys/prctl.h>
#include <sys/resource.h>

namespace hyades {

// Of this process and those that it starts. They may raise the limit again: jobs that want a dump.
inline void leave_no_core_dump() {
  rlimit core{};
  if (getrlimit(RLIMIT_CORE, &core) != 0) return;
  core.rlim_cur = 0;
  setrlimit(RLIMIT_CORE, &core);
}

// Nor may another process of the same user look into it. Ends with the next exec, and a change of
// user may end it: call it again after that.
inline void keep_memory_private() {
  leave_no_core_dump();
  prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace hyades
