// What a shepherd's child says of itself before it becomes the job, and what people are told when
// it did not come so far.
#pragma once

#include <array>
#include <string>

#include "worker/launch_record.hpp"

namespace hyades {

// How far the child has come. Its process name shows it, so that whoever waits for a hung file
// system can see what hangs.
enum class Stage {
  Ready,
  Session,
  Account,  // `error` is an AccountTrouble then
  Pam,      // `text` says it
  Group,
  Binding,
  Files,  // the script and what goes with it
  Tmp,
  User,
  WorkingDirectory,
  Stdin,
  Stdout,
  Stderr,
  StepSocket,
  Exec
};

// At most 15 characters.
const char* process_name(Stage stage);

// Through the channel from child to shepherd: Ready, or what failed and its errno.
struct ChildWord {
  Stage stage = Stage::Ready;
  int error = 0;
  int step_port = 0;  // with Ready, of a companion: where its steps are asked for
  std::array<char, 700> text = {};
};

// For people: what was being done, with what, and why it failed.
std::string describe_failure(const LaunchRecord& record, const ChildWord& word);

// The same for a child that never came back, told by its process name.
std::string describe_hang(const LaunchRecord& record, const std::string& process_name);

// True when the node is to blame, and another one may well be able to start the job.
bool is_node_fault(const ChildWord& word);

}  // namespace hyades
