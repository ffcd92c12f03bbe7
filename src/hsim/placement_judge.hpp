// One judge for all ways to place the jobs of a scene: the cost that phase 2 makes small, with what
// is known of every work class. Modelled seconds.
#pragma once

#include "hsim/placement_scene.hpp"
#include "policy/local_problem.hpp"
#include "policy/placement_facts.hpp"

namespace hyades {

// By job.
using Plans = std::vector<Plan>;

struct Judgement {
  double cost = 0;        // infinity: something is given out twice
  double contention = 0;  // of that, what jobs cost each other
};

class PlacementJudge {
 public:
  // `scene` must outlive it.
  explicit PlacementJudge(const PlacementScene& scene);

  // Of each of these ways to place the same jobs; no plan may be empty.
  std::vector<Judgement> judge(const std::vector<const Job*>& jobs, const std::vector<Plans>& ways);

  // Each job of one node on every node that could hold it, by run time alone; the others stay at
  // their plans. The place of a job in its choice: see node_at().
  LocalProblem monolith(const std::vector<const Job*>& jobs, const Plans& plans);
  // The plans that a choice of the monolith means.
  Plans plans_of(const std::vector<const Job*>& jobs, const Plans& plans,
                 const LocalChoice& choice) const;

 private:
  const PlacementScene& scene_;
  PlacementFacts facts_;
  std::vector<std::vector<NodeIndex>> pairs_;  // of the last monolith: nodes of each of its jobs
};

// Jobs that the monolith places.
bool on_one_node(const Job& job);

}  // namespace hyades
