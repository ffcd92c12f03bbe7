// Plays a scenario with the production policy on the production ledger, and asks the naive planner
// at every pass what should have come of it.
#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "naive_planner.hpp"
#include "policy/backfill_policy.hpp"
#include "random_scenario.hpp"

namespace hyades {

struct ScenarioOutcome {
  // The first pass in which the two differ, or something that is wrong whatever the rule; "": none.
  std::string difference;
  std::vector<WallMs> starts;  // by job; -1: never
  // What each pass promised, in order.
  struct Promise {
    JobId job = 0;
    WallMs made_ms = 0;
    WallMs start_ms = 0;
  };
  std::vector<Promise> promises;
  int backfilled = 0;
  int on_several_nodes = 0;
  int moved = 0;  // by phase 2
};

class ScenarioRun {
 public:
  explicit ScenarioRun(const Scenario& scenario);

  ScenarioOutcome run();

 private:
  struct Waiting {
    QueueConfig config;
    std::vector<char> members;
    WaitingList jobs;
  };
  struct Running {
    Plan plan;
    WallMs end_ms = 0;
    RunningJob listed;
  };

  WallMs next_ms() const;
  void turn(WallMs at_ms);
  void finish(WallMs at_ms);
  void arrive(WallMs at_ms);
  void decide();
  void apply(const Decision& decision);
  WaitingJob place_of(const Waiting& queue, const Job& job) const;
  bool limited(JobId job) const;
  std::vector<char> usable(const Waiting& queue) const;
  std::vector<QueueView> views() const;
  Decision production();
  Decision first_fit() const;  // without phase 2
  Decision naive() const;
  std::string words(const Decision& decision, bool with_nodes = true) const;
  std::string broken_promise(const Decision& decision) const;
  const ScenarioJob& job_of(JobId id) const {
    return scenario_.jobs[static_cast<std::size_t>(id) - 1];
  }

  const Scenario& scenario_;
  Cluster cluster_;
  std::list<Job> jobs_;  // by id; they stay where they are
  std::vector<Waiting> queues_;
  std::map<JobId, Running> runs_;
  RunningList running_;
  BackfillPolicy policy_;
  WallMs now_ms_ = 0;
  std::size_t drained_ = 0;
  ScenarioOutcome outcome_;
};

}  // namespace hyades
