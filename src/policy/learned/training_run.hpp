// The course of a training: rounds of episodes by actors, and of learning from what they lived
// through; now and then the policy is tried on windows that it does not learn from, and the best
// one so far is kept.
//
// Deterministic given its settings, windows and the same library: what it is after a round does not
// depend on how many threads or ranks played, nor on whether it was written down and read again.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "policy/learned/policy_learner.hpp"
#include "policy/learned/policy_trial.hpp"

namespace hyades::learned {

struct TrainingSettings {
  Encoder encoder = Encoder::Mlp;
  std::uint64_t seed = 1;
  int rounds = 40;
  int episodes = 12;     // a round
  int updates = 300;     // a round
  int trial_every = 10;  // rounds
  std::size_t memory = 60'000;
  double priority = 0.6;
  double exploration = 1;  // times what actors try out by themselves
  LearningLaw law;
  LearnerSettings learner;
  GlobalChoices choices = every_choice();  // that it may make
};

class TrainingRun {
 public:
  // The windows of `pool` to learn from and to try on must have been replayed under the hand-set
  // action. It must outlive this.
  TrainingRun(const TrainingSettings& settings, ReplayPool& pool);

  // All rounds that are left. `progress` is called after each trial.
  using Progress = std::function<void(const Trial&)>;
  void run(const Progress& progress);

  // One by one. Before the first one it plays a round and learns to imitate.
  void advance();
  int round() const { return round_; }
  bool finished() const { return round_ >= settings_.rounds; }
  // Whether a trial belongs after the round that was the last: each tenth, and at the end.
  bool trial_is_due() const;
  Trial trial();
  // Takes it into the history, and keeps the network if it is the best one so far.
  void note(const Trial& trial);

  // As it learns.
  PolicyNetwork& network() { return network_; }
  // Of the trials; the fallback (a ratio of 1) counts, too: then it is the one that imitates.
  PolicyNetwork best_network() const;
  const Trial& best() const { return best_; }
  const std::vector<Trial>& trials() const { return trials_; }
  // Experiences since it was asked last.
  std::size_t take_lived() { return std::exchange(lived_, 0); }

  // All that the rounds to come depend on. Throws std::invalid_argument where the bytes are none,
  // or of a training of another shape; this is then of no use any more.
  std::string bytes() const;
  void restore(std::string_view bytes);

 private:
  void play_round();
  void learn_round();

  TrainingSettings settings_;
  ReplayPool& pool_;
  Prng random_;
  PolicyNetwork network_;
  PolicyLearner learner_;
  ReplayMemory memory_;
  int round_ = 0;
  bool begun_ = false;
  double error_ = 0;       // mean of the last round's updates
  std::size_t lived_ = 0;  // since take_lived()
  Trial best_;
  std::vector<NamedTensor> best_weights_;
  std::vector<Trial> trials_;
};

}  // namespace hyades::learned
