// Open MPI as Hyades uses it: one thread, errors returned, never finalized. Leave with _exit:
// MPI_Finalize hangs when a peer died with messages pending.
#pragma once

namespace hyades {

struct MpiWorld {
  int rank = 0;
  int size = 1;

  // MPI_Init_thread(MPI_THREAD_SINGLE). Fork whatever has to be forked small before this. Throws
  // std::runtime_error when MPI cannot be started. Call once.
  static MpiWorld init(int& argc, char**& argv);
};

}  // namespace hyades
