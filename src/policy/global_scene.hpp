// A queue at a moment, and what runs on its nodes, read once: what the global policy sees of it
// (policy/global_state.hpp) and what its near future is played from (policy/rollout_scene.hpp) are
// made of this. Reading is what costs where there are ten thousand jobs: each lies elsewhere.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "core/policy.hpp"
#include "policy/global_action.hpp"
#include "policy/run_model.hpp"

namespace hyades {

// A job that was submitted.
struct Arrival {
  WallMs at_ms = 0;
  double cores = 1;
  RunForecast forecast;
  double limit_s = 1;
};

struct GlobalScene {
  struct Waiting {
    WallMs submitted_ms = 0;
    WallMs limit_ms = 0;
    std::int64_t cores = 0;
    int priority = 0;
    RunForecast forecast;
  };
  struct Running {
    JobId id = 0;
    WallMs end_ms = 0;        // expected
    WallMs limit_end_ms = 0;  // when it will be stopped
    std::int64_t cores = 0;   // on the queue's nodes, at least one
  };
  // Of a job on one of the queue's nodes.
  struct Share {
    NodeIndex node = 0;
    std::uint32_t running = 0;  // place in `running`
    std::int64_t cores = 0;
  };

  const QueueView* queue = nullptr;
  const ClusterView* cluster = nullptr;
  WallMs now_ms = 0;
  const std::deque<Arrival>* arrivals = nullptr;  // of the last day, by time
  WallMs longest_wait_ms = 0;                     // in the guard's twin; 0: there is none
  double guard_factor = 1;
  GlobalAction action;  // that has held until now

  std::vector<Waiting> waiting;  // in the order of the queue
  std::vector<Running> running;  // by when they will be stopped
  std::vector<Share> shares;     // by job

  // What waits and runs; the rest must be set. Of waiting jobs how long they will run, of running
  // ones when they are expected to end.
  using Forecasts = std::function<RunForecast(const Job&)>;
  using Ends = std::function<WallMs(const RunningJob&)>;
  void read_jobs(const Forecasts& forecast, const Ends& expected_end_ms);
};

}  // namespace hyades
