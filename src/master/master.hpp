// Rank 0: opens the queue, takes the front door, and turns until it is told to stop or cannot go
// on. Crash-only: there is nothing that a clean exit does and a kill does not.
#pragma once

#include <atomic>
#include <string>

#include "wire/mpi_link.hpp"

namespace hyades {

struct MasterOptions {
  std::string state_directory;
  std::string config_path;  // "": <state directory>/hyades.toml if it is there, else the defaults
  bool create = false;      // make a new, empty queue when there is none
  bool again = false;       // one before us has served: what is missing now may come back
  bool all_users = false;   // serve everybody; else only the user that we are, and root
};

// 0 after `stop`; 1 when it cannot go on and a new master may do better; 78 (EX_CONFIG) when only
// an admin can help. The reason is logged and left in <state directory>/run/failure.
int run_master(const MasterOptions& options, MpiLink& link, const std::atomic<bool>& stop);

constexpr int kExitNeedsAdmin = 78;

}  // namespace hyades
