// The course of a training: rounds of episodes by actors on several threads, and of learning from
// what they lived through; now and then the policy is tried on windows that it does not learn from,
// and the best one so far is kept.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policy/learned/episode.hpp"
#include "policy/learned/policy_learner.hpp"

namespace hyades::learned {

struct TrainingSettings {
  Encoder encoder = Encoder::Mlp;
  std::uint64_t seed = 1;
  int rounds = 40;
  int episodes = 12;     // a round
  int updates = 300;     // a round
  int trial_every = 10;  // rounds
  int threads = 2;
  std::size_t memory = 60'000;
  double priority = 0.6;
  RunTimes run_times = RunTimes::LastTwo;  // ten times as fast to replay as the master's own
  LearningLaw law;
  LearnerSettings learner;
};

// How the policy did on the windows for validation.
struct Trial {
  int round = 0;
  double margin = 0;
  double ratio = 1;  // geometric mean over windows: slowdown over that of the hand-set policy
  double high = 1;   // above it with a probability of 2.5 %, by bootstrap
  double error = 0;  // of the values, at the last updates
  std::size_t experiences = 0;
};

class TrainingRun {
 public:
  // Each window must have been replayed under the hand-set policy.
  TrainingRun(const std::vector<TrainingWindow>& learn_from,
              const std::vector<TrainingWindow>& try_on, const TrainingSettings& settings,
              ModelShelf& shelf);

  // Called after each trial: with every margin that was tried, the best first.
  using Progress = std::function<void(const Trial&)>;
  void run(const Progress& progress);

  // The best so far; what is hand-set (a ratio of 1) counts, too.
  const PolicyNetwork& network() const { return network_; }
  const Trial& best() const { return best_; }

 private:
  void play_round();
  double learn_round();  // gives the mean error

  const std::vector<TrainingWindow>& learn_from_;
  const std::vector<TrainingWindow>& try_on_;
  TrainingSettings settings_;
  ModelShelf& shelf_;
  Prng random_;
  PolicyNetwork network_;
  PolicyLearner learner_;
  ReplayMemory memory_;
  Trial best_;
  std::vector<NamedTensor> best_weights_;
};

// Of some margins the one under which the network does best on the windows, by the run times that
// they were replayed with.
Trial best_margin(const PolicyNetwork& network, const std::vector<TrainingWindow>& windows,
                  RunTimes run_times, int threads, ModelShelf& shelf);
// The same, but only what is better than the hand-set policy beyond doubt (`high` below 1): the
// best of many tries on few windows looks good by chance. Else never_departs.
Trial sure_margin(const PolicyNetwork& network, const std::vector<TrainingWindow>& windows,
                  RunTimes run_times, int threads, ModelShelf& shelf);

// f(0) ... f(count - 1) on so many threads; throws what one of them threw.
void in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& each);

}  // namespace hyades::learned
