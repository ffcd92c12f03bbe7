// Whether a launcher that is root may start root's own jobs. The configuration reaches it through
// its worker, so where that has given up being root, the word of the worker is not enough.
#pragma once

#include <sys/types.h>

namespace hyades {

// Where the worker, by the kernel's word, is root anyway; or where root has said so in the
// environment of the daemons: HYADES_ALLOW_ROOT_JOBS=1.
bool may_run_root_jobs(uid_t worker);

}  // namespace hyades
