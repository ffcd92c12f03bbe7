// How far Open MPI's daemon on this machine has come, as far as can be seen from outside.
#pragma once

#include <sys/types.h>

namespace hyades {

// 0: there is no such process; 1: it lives; 2: and has a TCP connection, so it has reached mpirun;
// 3: and has a child, a rank.
int daemon_progress(pid_t daemon);

}  // namespace hyades
