// What predictors and learned policies are told about one job: a fixed row of finite numbers.
// schema/observation.md lists them; the order is part of that contract.
//
// Everything is a share, a ratio or a logarithm, so that a row means the same on 4 nodes and on
// 10,000. What is not known has its neutral value, and a component beside it says so. Of the past,
// only jobs that ended before `now_ms` are seen.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "policy/usage_history.hpp"

namespace hyades {

// What a running job has used until now.
struct LiveUse {
  double cpu_s = 0;
  double peak_mib = 0;  // on its fullest node
};

// The job that is asked about, as it stands.
struct ObservedJob {
  AskedFacts asked;
  WallMs submit_ms = 0;
  WallMs start_ms = 0;  // 0: it waits
  std::optional<LiveUse> live = {};
};

// The nodes that the job's queue may use, and who else wants them or has them. Without the job
// itself.
struct QueueFacts {
  std::int64_t cores = 0;  // 0: nothing of this is known
  std::int64_t free_cores = 0;
  MiB memory_mib = 0;
  std::int64_t pending_jobs = 0;
  std::int64_t pending_cores = 0;
  std::int64_t running_jobs = 0;
  // Of the job's user, in all queues.
  std::int64_t own_pending_jobs = 0;
  std::int64_t own_running_jobs = 0;
  std::int64_t own_running_cores = 0;
  WallMs own_oldest_start_ms = 0;  // of the job that runs longest; 0: none runs
  WallMs own_last_submit_ms = 0;   // before this job; 0: none is known
};

struct ObservationField {
  std::string name;  // "user.ratio_mean"
  std::string unit;
  std::string meaning;
  double least = 0;
  double most = 0;
  double neutral = 0;  // when it is not known
};

constexpr std::size_t observation_scene_size = 28;  // the job, the time, its queue, its user's jobs
constexpr std::size_t observation_size = 118;       // and what became of those that have ended
using Observation = std::array<double, observation_size>;

Observation observe(const ObservedJob& job, WallMs now_ms, const UsageHistory& history,
                    const QueueFacts& queue);

// Only the part behind observation_scene_size: what it would be now.
void observe_past(const ObservedJob& job, WallMs now_ms, const UsageHistory& history,
                  Observation& row);

// By component. Lives as long as the program.
std::span<const ObservationField, observation_size> observation_fields();

}  // namespace hyades
