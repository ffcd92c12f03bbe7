// The last stretch before the user's script runs: what a freshly forked child of a shepherd does,
// as the user wherever the user decides about a path.
#pragma once

#include <string>

#include "worker/launch_record.hpp"

namespace hyades {

// How far the child has come. Its process name shows it, so that whoever waits for a hung file
// system can see what hangs.
enum class Stage {
  Ready,
  Session,
  Binding,
  Script,
  User,
  WorkingDirectory,
  Stdin,
  Stdout,
  Stderr,
  Exec
};

// Through the channel from child to shepherd: Ready, or what failed and its errno.
struct ChildWord {
  Stage stage = Stage::Ready;
  int error = 0;
};

// Prepares everything, says Ready on `channel` (a SOCK_SEQPACKET socket), waits for one byte, and
// becomes the script. When anything fails, or the other end is closed, the process ends.
// `shepherd_pid`: the parent; the child dies with it.
[[noreturn]] void run_job_child(const LaunchRecord& record, int channel, int shepherd_pid);

// For people: what was being done, with what, and why it failed.
std::string describe_failure(const LaunchRecord& record, const ChildWord& word);

// The same for a child that never came back, told by its process name.
std::string describe_hang(const LaunchRecord& record, const std::string& process_name);

// True when the node is to blame, and another one may well be able to start the job.
bool is_node_fault(Stage stage);

}  // namespace hyades
