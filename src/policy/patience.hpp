// Whether a job that fits now had better wait for faster nodes: where it is expected to end first,
// behind all that run there or stand before it in the queue (minimum completion time; Ibarra and
// Kim 1977). One object for one scheduling pass.
//
// Nobody waits for longer than it would gain by it: then it takes what there is, as in the ski
// rental's problem. What it declined is not kept for it, so that it may have to wait for room
// again, like anybody. Whoever has waited too long (policy/age_guard.hpp) is not asked.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/policy.hpp"
#include "policy/placement_facts.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {

// What a job waits for.
struct PatientJob {
  std::string faster_nodes;
  WallMs faster_end_ms = 0;
  WallMs now_end_ms = 0;
  WallMs until_ms = 0;  // when it takes what there is
  bool waits = false;   // as of the last pass
  bool woken = false;   // the policy has been woken for that
};
using PatientJobs = std::map<JobId, PatientJob>;

class Patience {
 public:
  struct Sources {
    // Seconds that a job is expected to run, as it was expected when it came.
    std::function<double(const QueueConfig&, const Job&)> expected_run;
    // Of one that runs; nullptr: it is not there any more.
    std::function<const QueueView*(const Job&)> queue_of;
  };

  // `facts` of the ledger's cluster. `known`: since when jobs wait; all outlive this.
  Patience(const PlacementFacts& facts, const PlanLedger& ledger, const PatientJobs& known,
           Sources sources)
      : facts_(facts), ledger_(ledger), known_(known), sources_(std::move(sources)) {}

  // Fits a job now on some of its nodes; empty: there is no room.
  using Fit = std::function<Plan(const std::vector<char>& nodes)>;

  // Makes `plan`, which fits on the queue's nodes, one on the fastest nodes that have room, or
  // empty: the job waits.
  void choose(const QueueView& queue, const Job& job, const Fit& fit, Plan& plan);
  // It cannot start. Its work stands before that of jobs behind it.
  void stands(const QueueView& queue, const Job& job);
  void started(const QueueView& queue, const Job& job, const Plan& plan);

  // The nodes that a job waits for; nullptr: it does not wait for any. Good as long as this.
  const std::vector<char>* nodes_for(JobId job) const;
  const PatientJobs& waiting() const { return waiting_; }
  // Where jobs would have started that got other, faster nodes here.
  const std::map<JobId, Plan>& first_fits() const { return first_fits_; }

 private:
  // Nodes of a queue that are as fast for a class.
  struct Speed {
    double slowness = 1;
    std::vector<NodeIndex> nodes;
    std::vector<char> as_fast;  // these and all faster ones, by NodeIndex
  };
  struct Speeds {
    std::vector<Speed> by_slowness;
    SlownessRange range;
  };
  // What a node has to do before it is free.
  struct Busy {
    double work_s = 0;  // node-seconds: of each job the share of the node that it holds
    double last_s = 0;  // until the last one ends
  };

  // What a job has to do on a node, and the share of the node that it holds meanwhile.
  struct Load {
    NodeIndex node = 0;
    double share = 0;
    double seconds = 0;
  };

  const Speeds* speeds_for(const QueueView& queue, const Job& job);
  void look_at_running();
  double remaining_s(const Job& job);
  double slowness_of(const Job& job) const;
  double run_on_best_s(const QueueView& queue, const Job& job, const Speeds& speeds) const;
  std::vector<NodeIndex> nodes_of(const Speed& speed, const Job& job) const;
  double wait_s(const std::vector<NodeIndex>& nodes, const Job& job) const;
  double share_of(const Job& job, NodeIndex node, int tasks) const;
  bool holds(const Speed& speed, const Job& job) const;
  void add(const Load& load);
  static Speeds make_speeds(const QueueView& queue, const ClassFacts& facts);
  std::size_t node_count(const std::vector<NodeIndex>& nodes, const Job& job) const;
  static int tasks_on_each(const Job& job, std::size_t nodes);
  void expect(const Job& job, double run_s, const Speeds& speeds);
  std::string names_of(const std::vector<NodeIndex>& nodes) const;

  const PlacementFacts& facts_;
  const PlanLedger& ledger_;
  const PatientJobs& known_;
  Sources sources_;
  std::map<std::pair<std::string, const ClassFacts*>, Speeds> speeds_;  // by queue and class
  const Speeds* last_ = nullptr;  // asked for last: mostly it is the same again
  std::string last_queue_;
  const ClassFacts* last_facts_ = nullptr;
  std::vector<Busy> busy_;   // by NodeIndex; empty: not looked at
  std::vector<Load> early_;  // of jobs that this pass had started before
  std::map<JobId, const std::vector<char>*> nodes_;
  PatientJobs waiting_;
  std::map<JobId, Plan> first_fits_;
  int looks_ = 0;
};

}  // namespace hyades
