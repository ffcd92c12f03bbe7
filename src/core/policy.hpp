// The port behind which every scheduling policy lives: values in, values out.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/blocked_list.hpp"
#include "core/cluster.hpp"
#include "core/config.hpp"
#include "core/job.hpp"
#include "core/placement_why.hpp"

namespace hyades {

// A job that could start now, at its place in its queue.
struct WaitingJob {
  int priority = 0;  // higher first
  double rank = 0;   // by the policy, lower first; finite
  JobId id = 0;      // in order of submission
  const Job* job = nullptr;
  std::int64_t cores = 0;  // that it takes at the least, on all its nodes together
  WallMs limit_ms = 0;     // how long it may run

  friend bool operator<(const WaitingJob& a, const WaitingJob& b) {
    if (a.priority != b.priority) return a.priority > b.priority;
    if (a.rank != b.rank) return a.rank < b.rank;
    return a.id < b.id;
  }
};

// The job at a place of that rank.
inline WaitingJob waiting_job(const Job& job, double rank) {
  return {.priority = job.spec.priority,
          .rank = rank,
          .id = job.id,
          .job = &job,
          .cores = std::int64_t{job.spec.tasks} * job.spec.cpus_per_task,
          .limit_ms = WallMs{job.spec.time_limit_s} * 1000};
}

// The least that one of several jobs asks for.
struct LeastWanted {
  std::int64_t cores = std::numeric_limits<std::int64_t>::max();
  WallMs limit_ms = std::numeric_limits<WallMs>::max();

  void add(const WaitingJob& job) {
    cores = std::min(cores, job.cores);
    limit_ms = std::min(limit_ms, job.limit_ms);
  }
};
using WaitingList = BlockedList<WaitingJob, LeastWanted>;

// One queue.
struct QueueView {
  const QueueConfig* config = nullptr;
  const WaitingList* waiting = nullptr;  // by priority, rank, submission
  std::vector<char> usable;  // by NodeIndex: belongs to the queue, responds, is not drained
  WallMs busy_since_ms = 0;  // since when it has had jobs without a break
  // False when a limit of user or queue forbids this job now; such jobs never reserve. Empty: the
  // queue has no limits.
  std::function<bool(const Job&)> within_limits;
};

struct RunningJob {
  WallMs expected_end_ms = 0;  // at its limit
  JobId id = 0;
  const Job* job = nullptr;
  const Plan* plan = nullptr;  // where it runs, if that is not the job's placement: in a forecast
  int cores = 0;
  MiB memory_mib = 0;

  friend bool operator<(const RunningJob& a, const RunningJob& b) {
    return a.expected_end_ms != b.expected_end_ms ? a.expected_end_ms < b.expected_end_ms
                                                  : a.id < b.id;
  }
};

// What several jobs hold together.
struct HeldTogether {
  std::int64_t cores = 0;
  MiB memory_mib = 0;

  void add(const RunningJob& job) {
    cores += job.cores;
    memory_mib += job.memory_mib;
  }
};
using RunningList = BlockedList<RunningJob, HeldTogether>;

struct ClusterView {
  const Cluster* cluster = nullptr;
  const RunningList* running = nullptr;  // by expected end
  const FreeTable* free = nullptr;       // what is free beside them
};

struct Start {
  JobId job = 0;
  Plan plan;
  StartReason why = StartReason::Immediate;
  // What its queue went by, and who had chosen that: see Assigned.
  std::string policy;
  std::string chosen_by;
  PlacementWhy place_why;  // phase 2's
};

// A job that could not start, and where and when it will at the latest.
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
  std::vector<JobId> limited;    // kept back by a limit
  std::vector<JobId> kept_back;  // by the reserve for jobs to come
  std::vector<JobId> patient;    // there is room, and they wait for faster nodes
};

// What playing the queue's near future said of the rule that was chosen, and of others: means over
// its jobs, seconds of waiting or what that adds to their slowdowns.
struct PlayedCosts {
  Objective objective = Objective::Wait;
  double cost = 0;
  double hand_set = 0;  // of index with a reserve of 5 %
  double least = 0;
  std::string best_rule;
  double best_reserve = 0;
  bool gated = false;  // what a model chose cost too much
};

// Why a waiting job stands where it does, for people.
struct Explanation {
  QueueConfig rule;                                    // what its queue goes by now
  bool advised = false;                                // a model, or looking ahead, chose this
  std::string model;                                   // "": it was no model
  std::optional<PlayedCosts> played;                   // when it was chosen
  std::string choice;                                  // of the model, which led to the rule
  std::vector<std::pair<std::string, double>> values;  // what the model expects of each choice
  std::size_t position = 0;   // 1: it is looked at first; 0: a limit keeps it back
  std::size_t waiting = 0;    // in its queue
  double score = 0;           // by the rule, lower first
  double expected_run_s = 0;  // as the rule sees it
  double run_q10_s = 0;       // run times that one job in ten like it stays below, or exceeds
  double run_q90_s = 0;
  bool guarded = false;    // there is a bound on how long anybody waits;
  WallMs over_age_ms = 0;  // then: when it is over age
  bool first = false;      // it is, and goes before all others
  // It waits for faster nodes: which, when it is expected to end there, and when it would if it
  // started now; and the time at which it takes what there is.
  std::string faster_nodes;
  WallMs faster_end_ms = 0;
  WallMs now_end_ms = 0;
  WallMs patient_until_ms = 0;
};

// Implementations are deterministic (ties by job id and node index). What they remember of the
// past must be such that a restart, which forgets it, changes no promise.
class Policy {
 public:
  virtual ~Policy() = default;

  // What is configured, once and whenever that changes; before everything else.
  virtual void configure(const ClusterConfig&) {}

  // The part of a job's place in its queue that stays while it waits, and while the queue's
  // configuration does. The same arguments give the same answer, always.
  virtual double rank(const QueueConfig& queue, const Job& job, WallMs busy_since_ms) const = 0;

  // Told of what happens to jobs, before the next decide(): one has begun to wait for its start;
  // waits no longer, because it starts, is held or has ended; has been given its nodes; has ended,
  // whatever it did before. forget(): the tables are built anew, and all that was told before means
  // nothing.
  virtual void waits(const Job&, WallMs) {}
  virtual void leaves(const Job&) {}
  virtual void starts(const Job&, WallMs) {}
  virtual void ended(const Job&, WallMs) {}
  virtual void forget() {}

  // Asked in every turn in which nothing has changed: whether decide() would know more than the
  // last time, or has something to ask that is due. Cheap.
  virtual bool wakes(WallMs) { return false; }

  // What is to be done now; all queues, in order of priority. The caller does it. Who starts is
  // what plan() says; where, a policy may improve on.
  virtual Decision decide(const std::vector<QueueView>& queues, const ClusterView& cluster,
                          WallMs now_ms) {
    look(queues, cluster, now_ms);
    return plan(queues, cluster, now_ms);
  }

  // What would be decided, for questions that nothing comes of: nothing is remembered.
  virtual Decision plan(const std::vector<QueueView>& queues, const ClusterView& cluster,
                        WallMs now_ms) const = 0;

  // Of a job that waits and could start as far as it is concerned. Nothing: there is no more to
  // say.
  virtual std::optional<Explanation> explain(const std::vector<QueueView>&, const ClusterView&,
                                             const Job&, WallMs) const {
    return std::nullopt;
  }

 private:
  // Before each plan that is carried out: for what a policy makes out of what it sees.
  virtual void look(const std::vector<QueueView>&, const ClusterView&, WallMs) {}
};

}  // namespace hyades
