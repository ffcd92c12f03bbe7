// The learned global policy: of a state, what each rule of the portfolio is worth more than the
// hand-set action (index with a reserve of 5 %), with the numbers that a second network proposes
// for it. MP-DQN's shape (Bester, James, Konidaris 2019): every rule's numbers are judged with that
// rule alone.
//
//   value(state, action) = V(state) + A(state, action) - A(state, hand-set action)
//
// so V is what following the hand-set action for now is worth (a dueling network, Wang et al. 2016,
// with that action in the place of the mean).
//
// Needs no Torch header. One Torch thread. evaluate() may run in several threads at once, nothing
// else beside anything.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policy/adviser.hpp"
#include "safetensors.hpp"

namespace hyades::learned {

using jobscripts::NamedTensor;

enum class Encoder {
  Mlp,      // the newest frame, how it differs from the oldest, and the occupancy, in one vector
  CnnLstm,  // a convolution over the occupancy, an LSTM over the frames
};

struct Evaluation {
  float hand_set = 0;                             // V
  std::array<float, global_rules_count> gains{};  // of each rule with its numbers, over V
  std::array<UnitNumbers, global_rules_count> numbers{};
};

struct NetworkModules;  // policy_modules.hpp

class PolicyNetwork {
 public:
  PolicyNetwork(Encoder encoder, std::uint64_t seed);
  ~PolicyNetwork();
  PolicyNetwork(PolicyNetwork&&) noexcept;
  PolicyNetwork& operator=(PolicyNetwork&&) noexcept;

  Encoder encoder() const { return encoder_; }
  Evaluation evaluate(const GlobalState& state) const;

  std::vector<NamedTensor> weights() const;
  // Throws std::invalid_argument, naming the tensor, where names or shapes are not this network's.
  void set_weights(const std::vector<NamedTensor>& weights);

  NetworkModules& modules() { return *modules_; }

 private:
  Encoder encoder_;
  std::unique_ptr<NetworkModules> modules_;
};

// The best rule where it is worth more than the hand-set action by the margin; else that one.
// Ties go to the first.
GlobalAction chosen_action(const Evaluation& evaluation, double margin);

// All values finite, all numbers within 0..1.
bool sound(const Evaluation& evaluation);

std::string_view to_string(Encoder encoder);  // "mlp"
bool parse_encoder(std::string_view word, Encoder& out);

}  // namespace hyades::learned
