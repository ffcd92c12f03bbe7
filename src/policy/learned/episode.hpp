// One window of a log, replayed under a policy that tries things out, and what came of each thing
// that it tried, beside the same window under the hand-set policy.
//
// Cost: a second of a job's waiting costs 1 / max(run, 10 s), which is what it adds to its bounded
// slowdown. An epoch's gain is what the hand-set policy's waiting cost in that time less what this
// one's did, over the mean cost of an epoch under the hand-set policy; log-scaled, so that one bad
// hour does not drown all others, and bounded.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hsim/knowing_replay.hpp"
#include "policy/learned/policy_network.hpp"
#include "policy/learned/replay_memory.hpp"

namespace hyades::learned {

// What is replayed, and how it goes under the hand-set policy.
struct TrainingWindow {
  std::string log;
  Workload workload;
  std::vector<TraceJob> earlier;  // that the log has before it
  std::vector<ReplayedJob> hand_set;
  double hand_set_slowdown = 1;
};

// The jobs come faster or more slowly, by the factor.
Workload with_pace(Workload workload, double factor);

// Replays the window under an adviser; nullptr: under the hand-set action.
std::vector<ReplayedJob> replay_window(const TrainingWindow& window, RunTimes run_times,
                                       ModelShelf& shelf, Adviser* adviser);
// Sets what the hand-set policy makes of it.
void replay_hand_set(TrainingWindow& window, RunTimes run_times, ModelShelf& shelf);
double mean_slowdown(const TrainingWindow& window, const std::vector<ReplayedJob>& jobs);

struct LearningLaw {
  double discount = 0.95;  // of an epoch
  int steps = 24;          // n
};

// How an actor tries things out, drawn once for each episode.
struct Exploration {
  double random_rule = 0.1;      // probability of a rule by chance, at each change
  double noise = 0.1;            // of numbers, standard deviation
  int hold = 1;                  // epochs between changes
  bool around_hand_set = false;  // numbers near the hand-set ones, not near the network's
  std::optional<std::size_t> demonstrated;  // this choice, always
};
// Of these choices. `factor`: times the usual chance and noise; a probability stays one.
Exploration drawn_exploration(Prng& random, const GlobalChoices& choices, double factor = 1);

struct Episode {
  std::vector<Experience> experiences;
  double slowdown = 1;  // mean, bounded
};
Episode play(const TrainingWindow& window, const PolicyNetwork& network,
             const Exploration& exploration, const LearningLaw& law, RunTimes run_times,
             ModelShelf& shelf, Prng random);

}  // namespace hyades::learned
