// A training that takes a moment, for tests.
#pragma once

#include "policy/learned/training_run.hpp"
#include "trace/workload_model.hpp"

namespace hyades::learned {

inline Workload made_workload(int jobs) {
  WorkloadModel model;
  model.procs = 32;
  model.jobs = jobs;
  model.load = 0.9;
  model.users = 10;
  model.over_estimates = true;
  Workload workload = generate_workload(model);
  workload.name = "made";
  return workload;
}

// Two windows of 200 jobs, to learn from, to try on and to choose by.
inline TrainingWindows made_windows() {
  const Workload all = made_workload(400);
  TrainingWindows windows;
  for (const std::size_t first : {0u, 200u}) {
    windows.learn_from.push_back({"made", cut(all, {first, 200}), {}, {}, 1});
  }
  windows.try_on = windows.choose_by = windows.learn_from;
  return windows;
}

inline void replay_all(ReplayPool& pool) {
  pool.replay_hand_set(WindowSet::LearnFrom);
  pool.replay_hand_set(WindowSet::TryOn);
}

inline TrainingSettings few_rounds() {
  TrainingSettings settings;
  settings.rounds = 2;
  settings.episodes = 3;
  settings.updates = 5;
  settings.trial_every = 2;
  settings.seed = 7;
  return settings;
}

}  // namespace hyades::learned
