// What the configuration file says, after parsing and checking. Values, no behaviour.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/node_settings.hpp"
#include "core/placement_settings.hpp"
#include "core/queue_order.hpp"
#include "core/resources.hpp"
#include "core/work_class.hpp"

namespace hyades {

struct QueueConfig {
  std::string name;
  std::vector<std::string> nodes;  // empty: every node
  int priority = 0;                // higher first
  int default_time_s = 3600;       // for jobs that ask for none
  int lease_s = 0;                 // of jobs that ask for none; 0: they outlive any outage
  int max_time_s = 0;              // 0: no bound; likewise below
  int max_nodes_per_job = 0;
  int max_queued_per_user = 0;  // pending and running
  int max_running_per_user = 0;
  int max_cores_per_user = 0;  // running
  bool enabled = true;         // accepts submissions
  QueueOrder order = QueueOrder::Fcfs;
  Backfill backfill = Backfill::Easy;
  // Not said: as the order needs it; see below.
  std::optional<RunTimes> run_times;
  std::optional<double> reserve;  // this share of the queue's cores is kept for jobs to come,
  int reserve_after_s = 3600;     // by those that are expected to run longer than this
  double ageing = 0;              // scores that do not age are divided by 1 + this x hours waited
  bool placement = true;          // phase 2 looks for better nodes
  std::string work_class;         // of jobs that say none; "": kDefaultWorkClass
  bool elastic = false;           // jobs that say nothing may use idle cores of their nodes
  int power_margin = 0;           // percent of speed that jobs that say nothing give for less power
};

// What holds for the queue, whether it was said or not.
inline bool predicts(QueueOrder order) { return order == QueueOrder::Index || is_advised(order); }
inline RunTimes run_times_of(const QueueConfig& queue) {
  return queue.run_times.value_or(predicts(queue.order) ? RunTimes::Learned : RunTimes::Request);
}
inline double reserve_of(const QueueConfig& queue) {
  if (queue.backfill == Backfill::Conservative) return 0;  // it plans without one
  return queue.reserve.value_or(predicts(queue.order) ? 0.05 : 0.0);
}

// The bound on how long anybody waits in a queue whose order favours some (policy/age_guard.hpp).
struct GuardSettings {
  bool enabled = true;
  // Times the longest wait that there would have been, first come first served. Not said: 1.2, or
  // 1.75 where run times are predicted, because waits are shorter there.
  std::optional<double> factor;
  int after_s = 3600;  // nobody counts as having waited too long before

  friend bool operator==(const GuardSettings&, const GuardSettings&) = default;
};

inline double guard_factor(const GuardSettings& guard, RunTimes run_times) {
  return guard.factor.value_or(run_times == RunTimes::Request ? 1.2 : 1.75);
}

// A node as the configuration describes it; what is not said comes from the worker.
struct NodeConfig {
  std::string name;
  Inventory inventory;  // cores 0, memory 0: as the worker finds
  std::string group;    // nodes of one group are near each other: "rack1"; "": of the nameless one
};

struct ClusterConfig {
  std::string name = "hyades";
  std::vector<NodeConfig> nodes;
  std::vector<QueueConfig> queues = {QueueConfig{"batch"}};  // first: default
  std::vector<std::uint32_t> admin_uids;  // root and the owner of the master always are
  std::vector<std::uint32_t> operator_uids;
  std::string daemon_user;            // whom daemons that root starts become; "": they stay root
  std::vector<std::string> listen;    // for clients of other hosts, "10.0.0.1:6710"; none: no port
  std::string munge_socket;           // of the MUNGE daemon that says who they are; "": its own
  std::vector<std::string> networks;  // of the daemons, "10.0.0.0/24" or "eth1"; none: any
  int node_timeout_ms = 5000;         // silence after which a node is "not responding"
  int resend_ms = 1000;         // an unanswered order is sent again after this, then ever slower
  int kill_grace_s = 30;        // between SIGTERM and SIGKILL
  int max_restarts = 10;        // after node failures; then the job is held
  int max_launch_failures = 5;  // a node could not start it; then the job is held
  int max_node_faults = 3;      // launches in a row that a node fails; then it is drained
  // So many different jobs that fail on a node, within so long a time, drain it. 0: never.
  int bad_node_jobs = 5;
  int bad_node_window_s = 600;
  // Run on the master's host, with the node's name behind it, when a node has been silent for
  // `fence_after_s` and holds jobs. Success says that the node's power is off. Empty: none.
  std::vector<std::string> fence_command;
  int fence_after_s = 60;
  int fence_timeout_s = 120;
  NodeSettings node_settings;
  std::vector<std::string>
      metrics_listen;          // where /metrics is served, "127.0.0.1:9410"; none: nowhere
  int keep_minutes_days = 30;  // what nodes were measured to do, a minute at a time
  int keep_jobs_days = 365;    // likewise of jobs
  GuardSettings guard;
  PlacementSettings placement;
  std::vector<WorkClass> work_classes;  // beside known_work_classes(), or in their place
  std::string policy_model;   // of queues whose order is learned; "": the one that is installed
  double policy_gate = 0.1;   // what it chooses may cost this share more than the hand-set action
  int backfill_depth = 1000;  // candidates looked at behind a reservation; 0: all
};

// The configuration's, else the known one of that name; nullptr: there is none.
const WorkClass* find_work_class(const ClusterConfig& config, const std::string& name);
std::vector<std::string> work_class_names(const ClusterConfig& config);

}  // namespace hyades
