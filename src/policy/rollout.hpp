// Plays what would become of a queue under a rule: its jobs run for as long as is expected, on one
// pool of cores, scheduled by the same EASY pass that schedules the real ones. Without the guard.
#pragma once

#include <limits>
#include <vector>

#include "core/policy.hpp"
#include "policy/global_action.hpp"
#include "policy/rollout_scene.hpp"

namespace hyades {

// What waiting costs from now on until every job of the scene has started, means over its jobs.
struct RolloutCost {
  double wait_s = 0;
  double slowdown = 0;  // added by it: waiting x the expected 1 / max(run, 10 s)
};

// A play is given up where it would cost more; then it costs infinity.
struct CostBound {
  Objective objective = Objective::Wait;
  double most = std::numeric_limits<double>::infinity();
};

class Rollout {
 public:
  // `scene` must outlive this. play() may be called in several threads at once.
  explicit Rollout(const RolloutScene& scene);
  Rollout(const Rollout&) = delete;
  Rollout& operator=(const Rollout&) = delete;

  // `with_coming`: jobs that are yet to come take part. A scene without jobs costs nothing.
  RolloutCost play(const GlobalAction& action, bool with_coming,
                   const CostBound& bound = CostBound()) const;

 private:
  const RolloutScene& scene_;
  Cluster pool_;
  std::vector<Job> jobs_;            // as the scene's, then those that run
  std::vector<Plan> plans_;          // of those that run
  std::vector<WaitingJob> waiting_;  // as the scene's
};

}  // namespace hyades
