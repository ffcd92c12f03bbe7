// Jobs that start, as the numbers of local_problem.hpp: what their places cost, and what they use.
//
// Seconds of a job j at a place p, by itself:
//   run       r[j] max over its nodes of slowness(class, node)
//   transfer  weight r[j] network(class) (far - 1) pairs of its nodes in different groups / all
//   pairs energy    price r[j] slowness sum of its cores' watts
// and with others on a node, whose memory takes D of what it can give, load U of its cores:
//   contention  weight T (max(0, D - 1))^2 / 2     balance  weight U^2
// r: the time it is expected to run on the best node there is. T: the mean of that over the jobs.
// Everything is modelled.
#pragma once

#include <vector>

#include "core/placement_why.hpp"
#include "policy/local_problem.hpp"
#include "policy/placement_facts.hpp"
#include "policy/plan_ledger.hpp"

namespace hyades {

struct PlacementJob {
  const Job* job = nullptr;
  const ClassFacts* facts = nullptr;
  double run_s = 0;           // expected on the best node there is
  WallMs end_ms = 0;          // at the latest
  std::vector<Plan> places;   // its own first
  std::size_t first_fit = 0;  // of the places: where it would be if speed did not count
};

class PlacementProblem {
 public:
  // All of these must outlive the problem. `fixed` are starts that stay where they are. `pools`:
  // sets of nodes that must not lose more cores, at any level, than they do with all jobs at their
  // first places.
  PlacementProblem(const ClusterView& view, const PlacementFacts& facts,
                   const std::vector<PlanLedger::Level>& levels,
                   const std::vector<PlacementJob>& jobs, const std::vector<PlacementJob>& fixed,
                   const std::vector<const std::vector<char>*>& pools);

  const LocalProblem& problem() const { return problem_; }
  const std::vector<Node>& nodes() const { return view_.cluster->nodes(); }

  // What the job's place costs, by what is there already. `loads`: all others at their places.
  PlaceCost cost(const LocalLoads& loads, std::size_t job, std::size_t place) const;

 private:
  // The rows of a node: of each level cores, then memory and devices if some job asks for any.
  struct NodeRows {
    std::uint32_t first = 0;
    std::uint32_t bandwidth = 0;  // only if it counts; likewise below
    std::uint32_t balance = 0;
  };
  void add_rows();
  void add_node_rows(NodeIndex node);
  void add_background();
  void add_job(const PlacementJob& job);
  bool runs_at(const PlacementJob& job, std::size_t level) const {
    return level == 0 || job.end_ms > levels_[level].from_ms;
  }
  void uses_of(const PlacementJob& job, const Plan& plan, std::vector<LocalUse>& out) const;
  PlaceCost own_cost(const PlacementJob& job, const Plan& plan) const;
  const Node& node_at(NodeIndex node) const {
    return view_.cluster->nodes()[static_cast<std::size_t>(node)];
  }

  const ClusterView& view_;
  const PlacementFacts& facts_;
  const std::vector<PlanLedger::Level>& levels_;
  const std::vector<PlacementJob>& jobs_;
  const std::vector<PlacementJob>& fixed_;
  const std::vector<const std::vector<char>*>& pools_;
  std::vector<std::string> kinds_;  // of devices that some job asks for
  bool with_memory_ = false;        // some job asks for memory
  bool with_bandwidth_ = false;     // some job takes any, and that costs something
  bool with_balance_ = false;
  double mean_run_s_ = 0;
  LocalProblem problem_;
  std::vector<int> rows_of_;  // by NodeIndex; -1: no place uses it
  std::vector<NodeRows> node_rows_;
  std::vector<std::vector<PlaceCost>> own_;  // by job, by place
  // By row: what its cost is called. Behind the rows of nodes, those of each pool, by level.
  enum class Term : char { None, Bandwidth, Balance };
  std::vector<Term> terms_;
  std::uint32_t pools_first_ = 0;
};

}  // namespace hyades
