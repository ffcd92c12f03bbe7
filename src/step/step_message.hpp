// What hrun and a step daemon say to each other over one connection per node of a step; see
// schema/step_protocol.md for the order. A frame is 8 bytes ("HS", version, type, length) and a
// body. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hyades {

// ---- Proofs (step_auth.hpp); not spoken over the socket pair to a daemon of hrun's own ----------

struct StepChallenge {
  std::string nonce;
};
struct StepResponse {
  std::string nonce;
  std::string proof;
};
struct StepProof {
  std::string proof;
};

// ---- hrun -> daemon -----------------------------------------------------------------------------

// Asks for a port that no one uses on this node; `seed` says where to begin to look.
struct PickPort {
  std::uint64_t seed = 0;
};

constexpr int input_to_none = -1;
constexpr int input_to_all = -2;

// Start these tasks; at most once a connection.
struct StartTasks {
  std::vector<std::string> arguments;    // the program and what it gets
  std::vector<std::string> environment;  // NAME=value, common to all tasks of the step
  std::string directory;                 // absolute
  int umask = 022;
  int first_rank = 0;
  int tasks = 1;
  int node_rank = 0;             // of this node in the step
  int input_task = -1;           // who gets the input: a task of this node, none or all
  bool slurm_names = false;      // SLURM_PROCID and so on, too
  bool own_temporaries = false;  // see schema/step_protocol.md
};

struct TaskInput {
  std::string bytes;
};
struct InputEnd {};
struct SignalTasks {
  int signal = 0;
};
// SIGTERM, `grace_ms`, SIGKILL.
struct StopTasks {
  int grace_ms = 0;
};
// Nobody reads this output (1 or 2) any more: tasks that write it get SIGPIPE.
struct CloseOutput {
  int stream = 1;
};

// ---- daemon -> hrun -----------------------------------------------------------------------------

struct PortPicked {
  int port = 0;  // 0: none is free
};
struct TasksStarted {};
struct StartRefused {
  int exit_code = 1;   // 127: not found, 126: cannot be run
  std::string reason;  // a clause
};
// So much input has reached its tasks.
struct InputTaken {
  std::uint64_t bytes = 0;
};
struct TaskOutput {
  int task = 0;    // on this node, from 0
  int stream = 1;  // 1 or 2
  std::string bytes;
};
struct OutputEnd {
  int task = 0;
  int stream = 1;
};
struct TaskExited {
  int task = 0;
  int exit_code = 0;
  int signal = 0;  // 0: it exited
};
// Every task has ended, and all of its output was sent.
struct StepEnded {};

// In the order of their type numbers on the wire, from 1.
using StepMessage =
    std::variant<StepChallenge, StepResponse, StepProof, PickPort, StartTasks, TaskInput, InputEnd,
                 SignalTasks, StopTasks, CloseOutput, PortPicked, TasksStarted, StartRefused,
                 InputTaken, TaskOutput, OutputEnd, TaskExited, StepEnded>;

constexpr std::size_t step_header_bytes = 8;
constexpr std::size_t step_data_bytes_max = 64u << 10;  // of one TaskInput or TaskOutput
constexpr std::size_t step_start_bytes_max = 8u << 20;  // of a StartTasks
constexpr std::size_t step_greeting_bytes_max = 4096;   // of anything before the proofs
// Input that was sent and has not reached its tasks yet; hrun waits beyond that.
constexpr std::size_t step_input_window = 64u << 10;

// The whole frame.
std::string encode(const StepMessage& message);

// False when `body` is not exactly the body of a message of that type.
bool decode_step_message(int type, std::string_view body, StepMessage& message);

}  // namespace hyades
