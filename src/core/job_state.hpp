// Phase and outcome are different questions: where is the job now, and how did it end.
// The full table of transitions is schema/job_states.md.
#pragma once

#include <string_view>

namespace hyades {

enum class JobPhase {
  Pending,    // waits in the queue; PendingReason says for what
  Launching,  // has a placement that is committed; its node has not answered yet
  Running,    // its node reported that it started
  Ended,      // final; Outcome says how
};

enum class Outcome {
  None,          // not ended
  Completed,     // exit code 0
  Failed,        // exit code not 0, or ended by a signal that nobody here sent
  Cancelled,     // by a user, an operator, or a dependency that can never be met
  TimedOut,      // stopped at its time limit
  NodeFailed,    // its node rebooted or lost it, and it may not start again
  LaunchFailed,  // the node could not start it: output not writable, no such directory, ...
  OutOfMemory,   // it needed more memory than it had asked for, and the kernel ended it
};

enum class PendingReason {
  None,         // not looked at yet
  Priority,     // jobs before it in the queue wait, too
  Resources,    // first in its queue: waits until enough is free
  Reserve,      // fits, but not beside the cores that are kept for jobs to come
  FasterNodes,  // fits, and ends earlier if it waits for faster nodes
  Dependency,   // waits for another job
  HeldByUser,
  HeldByAdmin,
  BeginTime,         // waits for its --begin
  QueueLimit,        // its user or queue is at a limit
  NodesUnavailable,  // would fit if nodes that are down or drained came back
  LaunchBackoff,     // a node could not start it; waits before the next try
};

// Why the policy started a job when it did.
enum class StartReason {
  Immediate,    // it was first and fitted
  Backfill,     // later in the queue, but delays no reservation
  FasterNodes,  // first, and had waited for such beside free ones
};

// "PENDING", "RUNNING", ...: one word for people and scripts, the way sacct prints it.
std::string_view to_string(JobPhase phase);
std::string_view to_string(Outcome outcome);
std::string_view to_string(PendingReason reason);
std::string_view to_string(StartReason reason);

// The state column: the phase, or for ended jobs the outcome.
std::string_view state_name(JobPhase phase, Outcome outcome);
// As squeue prints it: PD, CF, R, CD, F, CA, TO, NF, LF, OOM.
std::string_view state_code(JobPhase phase, Outcome outcome);

// The reverse of to_string; false when the word is unknown.
bool parse_outcome(std::string_view word, Outcome& out);
bool parse_start_reason(std::string_view word, StartReason& out);

}  // namespace hyades
