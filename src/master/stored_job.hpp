// What the queue remembers about a job, whether it has ended or not, and how to ask for it.
#pragma once

#include <string>
#include <vector>

#include "core/exit_record.hpp"
#include "core/ids.hpp"
#include "core/job_spec.hpp"
#include "core/job_state.hpp"
#include "core/time.hpp"

namespace hyades {

struct StoredJob {
  JobId id = 0;
  JobSpec spec;  // uid, user, name, queue, tasks, memory, time limit, priority, dependencies, ...
  JobPhase phase = JobPhase::Pending;
  Outcome outcome = Outcome::None;
  bool held = false;
  std::string reason;  // last word about it, for people
  Attempt attempts = 0;
  int restarts = 0;
  StartReason start_reason = StartReason::Immediate;
  WallMs submit_ms = 0;
  WallMs start_ms = 0;  // of the current or last attempt; 0: none started
  WallMs end_ms = 0;
  std::string node_names;  // of the current or last attempt: "vn1,vn2"
  int node_count = 0;
  int cores = 0;
  int exit_code = 0;
  int signal = 0;
  Usage usage;  // without JobQuery::full_usage only its first three
  // Only when JobQuery::details is set: for the owner and admins only.
  std::string comment;
  std::string working_directory;
  std::string stdout_path;
  std::string command_line;
};

// Every filter that is not empty must match; within a filter, any of its words.
struct JobQuery {
  std::vector<JobId> ids;
  std::vector<std::string> users;
  std::vector<std::string> queues;
  std::vector<std::string> states;  // "COMPLETED" or "CD"; unknown words match nothing
  std::vector<std::string> names;
  std::vector<std::string> nodes;  // of the current or last attempt
  bool ended_only = false;
  WallMs since_ms = 0;    // submitted or ended at or after this; 0: no bound
  WallMs until_ms = 0;    // submitted before this; 0: no bound
  std::size_t limit = 0;  // at most this many, the newest; 0: 10,000
  bool details = false;
  bool full_usage = false;
};

struct StoredEvent {
  std::uint64_t seq = 0;  // order of commits over all jobs
  JobId job = 0;
  WallMs at_ms = 0;
  std::string kind;    // event_name()
  std::string detail;  // a JSON object
  Epoch epoch = 0;     // of the master that wrote it
};

}  // namespace hyades
