// Learns the weights of a PolicyNetwork from experience: Double DQN over the portfolio (van Hasselt
// et al. 2016) with returns of n steps, a slowly following target network and Huber loss; and for
// the numbers of each rule a deterministic policy gradient through the values (Silver et al. 2014).
//
// Deterministic given its seed and the same library. One thread.
#pragma once

#include <memory>
#include <string>

#include "policy/learned/policy_network.hpp"
#include "policy/learned/replay_memory.hpp"

namespace hyades::learned {

struct LearnerSettings {
  double value_rate = 3e-4;    // of Adam
  double numbers_rate = 1e-4;  // 0: numbers stay hand-set
  double follow = 0.005;       // how fast the target network follows
  std::size_t batch = 96;
};

class PolicyLearner {
 public:
  // `network` must outlive the learner and is what it changes.
  PolicyLearner(PolicyNetwork& network, const LearnerSettings& settings);
  ~PolicyLearner();
  PolicyLearner(const PolicyLearner&) = delete;
  PolicyLearner& operator=(const PolicyLearner&) = delete;

  // The hand-set action's numbers are proposed for every choice, and `expert` is worth more than it
  // by a margin, every other choice less. 0: the hand-set action is the expert.
  void imitate(const ReplayMemory& memory, std::size_t expert, int steps, Prng& random);
  // One step on a batch that is drawn from the memory, whose errors are set. Gives their mean.
  double learn(ReplayMemory& memory, double correction, Prng& random);

  // What it knows beside the network: the target network, and both optimizers' moments. As bytes
  // and back; false where they are none, or of networks of another shape.
  void put_state(std::string& out) const;
  bool take_state(Taker& from);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hyades::learned
