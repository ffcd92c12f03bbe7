// The port behind which every scheduling policy lives: values in, values out.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/cluster.hpp"
#include "core/config.hpp"
#include "core/job.hpp"

namespace hyades {

// One queue's jobs that could start now, in order of submission (priority first).
struct QueueView {
  const QueueConfig* config = nullptr;
  std::vector<char> usable;  // by NodeIndex: belongs to the queue, responds, is not drained
  // Calls `visit` with one job after the other until it returns false.
  std::function<void(const std::function<bool(const Job&)>& visit)> each;
  // False when a limit of user or queue forbids this job now; such jobs never reserve.
  std::function<bool(const Job&)> within_limits;
};

struct RunningJob {
  JobId id = 0;
  const Placement* placement = nullptr;
  WallMs expected_end_ms = 0;
};

struct ClusterView {
  const Cluster* cluster = nullptr;
  std::vector<RunningJob> running;  // in order of id
};

struct Start {
  JobId job = 0;
  Plan plan;
  StartReason why = StartReason::Immediate;
};

// The first job that could not start, and where and when it will at the latest.
struct Reservation {
  JobId job = 0;
  WallMs start_ms = 0;
  Plan plan;
};

// `starts` in order; each plan fits what the earlier ones leave. The controller's ledger checks
// every one of them and ignores what does not fit.
struct Decision {
  std::vector<Start> starts;
  std::vector<Reservation> reservations;
  std::vector<JobId> limited;  // kept back by a limit
};

// Implementations are deterministic (ties by job id and node index) and keep no state that a
// restart would miss.
class Policy {
 public:
  virtual ~Policy() = default;
  // `queues` in order of priority.
  virtual Decision decide(const std::vector<QueueView>& queues, const ClusterView& cluster,
                          WallMs now_ms) = 0;
};

}  // namespace hyades
