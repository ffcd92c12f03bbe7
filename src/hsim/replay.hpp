// Replays a workload through the production controller and policies in virtual time: the cluster
// starts every job at once when it is told to, and ends it after its run time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "core/job_state.hpp"
#include "core/policy.hpp"
#include "policy/job_outcome_facts.hpp"
#include "trace/workload.hpp"

namespace hyades {

// Consecutive jobs of a workload, on an empty machine. `count` 0: all from `first` on.
struct Window {
  std::size_t first = 0;
  std::size_t count = 0;
};

// The jobs of the window; name and machine stay the same.
Workload cut(const Workload& workload, const Window& window);

struct ReplayedJob {
  std::int64_t start_s = -1;  // -1: it never started
  StartReason why = StartReason::Immediate;
};

// The queue after one instant's decisions, for pictures.
struct QueueSample {
  std::int64_t at_s = 0;
  int waiting_jobs = 0;
  std::int64_t busy_procs = 0;
};

struct Replay {
  std::vector<ReplayedJob> jobs;  // in the order of the workload's jobs
  std::size_t refused = 0;        // jobs that the controller did not accept
  std::string first_refusal;      // for people; "": none
};

// A machine of so many processors as one node, "pool", and one queue, "batch": the machine of a log
// that says nothing of nodes. Every candidate behind a reservation is looked at, and there is no
// guard.
ClusterConfig pool_of(int procs, QueueOrder order, Backfill backfill);

// The first submission, by the clock of the replay: where orders that look at submissions count
// from in the pure rules.
WallMs origin_ms(const Workload& workload);

struct ReplayOptions {
  std::shared_ptr<const ClusterConfig> config;  // its nodes must say what they have
  std::map<int, std::string> queue_names;       // of the log; where the configuration knows them
  // Told from time to time how many jobs have ended.
  std::function<void(std::size_t ended)> progress;
};

// Those of `earlier`, which the log of the window has before it, that had ended by the time at
// which the window's first job was submitted: what a scheduler that begins there may know. Where
// the log does not say how long they waited, they waited for no time. At most the newest that a
// model is made of.
std::vector<JobOutcomeFacts> past_before(std::span<const TraceJob> earlier, const Workload& window,
                                         const ReplayOptions& options);

// At each distinct time: completions, then arrivals, then one scheduling pass. Jobs ask for their
// processors as tasks of one core, in the queue that is theirs by name, else in the first. Throws
// std::runtime_error when a job that was accepted can never start.
Replay replay(const Workload& workload, Policy& policy, const ReplayOptions& options);

}  // namespace hyades
