// The site's own programs around a job's part on a node: <directory>/prolog.d before the job is
// there, <directory>/epilog.d when it is gone. They run as the user of the shepherd, root where
// jobs are other users', with an environment in which nothing comes from the job's user.
#pragma once

#include <string>
#include <vector>

#include "worker/launch_record.hpp"

namespace hyades {

enum class HookKind { Prolog, Epilog };

struct HookRun {
  HookKind kind = HookKind::Prolog;
  std::string directory;                 // which holds prolog.d and epilog.d
  int timeout_s = 60;                    // of each program
  std::vector<std::string> environment;  // all of it
  std::string spool_directory;           // where their output goes: scripts/hooks.log in there
  std::string title;                     // in the log, before each program's output
};

// The environment of the hooks around this launch.
std::vector<std::string> hook_environment(const LaunchRecord& launch, HookKind kind);

// All of the hooks of one kind around this launch.
HookRun hooks_of(const LaunchRecord& launch, HookKind kind, const std::string& spool_directory);

// Runs every executable file in the order of their names, until one fails: exits with another code
// than 0, is killed, or does not end in time (then its process group is killed). Returns "" or what
// failed, with the first lines of the output. For a process without other children; what the
// programs leave running is its to kill.
std::string run_hooks(const HookRun& run);

}  // namespace hyades
