// What the parts of the `hyades` command share.
#pragma once

#include <set>
#include <string>

namespace hyades {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsageError = 2;

struct HyadesOptions {
  std::string verb;
  std::string directory;
  std::string config;
  std::string hostfile;
  std::string launch_agent;
  std::string spool;
  int local = 0;
  bool foreground = false;
  bool cancel_jobs = false;
  bool json = false;
  std::set<std::string> given;  // names of the options that were
};

[[noreturn]] void usage_error(const std::string& message);

// Why nothing can be done in the state directory; "" when something can, or when it does not exist
// yet. `access_wanted` as for access(2).
std::string directory_problem(const std::string& directory, int access_wanted);

// Starts a cluster. Returns the exit code.
int hyades_up(const HyadesOptions& options);

}  // namespace hyades
