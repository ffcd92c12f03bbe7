// The learned global policy: of a state, what each choice (policy/global_choice.hpp) is worth more
// than the hand-set action (index with a reserve of 5 %), with the numbers that a second network
// proposes for it. MP-DQN's shape (Bester, James, Konidaris 2019): every choice's numbers are
// judged with that choice alone.
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
#include <optional>
#include <string>
#include <vector>

#include "policy/adviser.hpp"
#include "policy/global_choice.hpp"
#include "safetensors.hpp"

namespace hyades::learned {

using jobscripts::NamedTensor;

enum class Encoder {
  Mlp,      // the newest frame, how it differs from the oldest, and the occupancy, in one vector
  CnnLstm,  // a convolution over the occupancy, an LSTM over the frames
};

struct Evaluation {
  float hand_set = 0;                               // V
  std::array<float, global_choices_count> gains{};  // of each choice with its numbers, over V
  std::array<UnitNumbers, global_choices_count> numbers{};
};

struct NetworkModules;  // policy_modules.hpp

class PolicyNetwork {
 public:
  PolicyNetwork(Encoder encoder, std::uint64_t seed);
  ~PolicyNetwork();
  PolicyNetwork(PolicyNetwork&&) noexcept;
  PolicyNetwork& operator=(PolicyNetwork&&) noexcept;

  Encoder encoder() const { return encoder_; }
  // What it may not choose gains nothing: `not_allowed`.
  Evaluation evaluate(const GlobalState& state) const;

  // All, unless it was told otherwise; the hand-set rule always is. No part of the weights.
  const GlobalChoices& allowed() const { return allowed_; }
  void allow(const GlobalChoices& choices);

  std::vector<NamedTensor> weights() const;
  // Throws std::invalid_argument, naming the tensor, where names or shapes are not this network's.
  void set_weights(const std::vector<NamedTensor>& weights);

  NetworkModules& modules() { return *modules_; }

 private:
  Encoder encoder_;
  GlobalChoices allowed_ = every_choice();
  std::unique_ptr<NetworkModules> modules_;
};

// As a gain; finite.
constexpr float not_allowed = -1e6f;

// What holds where a model sees no reason for another choice is its fallback: looking ahead
// (expert_choice), if it may choose that, else the hand-set action. This gives the choice that is
// worth most, the first of several, where that is worth more than the fallback by the margin; else
// the fallback. Nothing: the hand-set action it is.
std::optional<std::size_t> chosen_by(const Evaluation& evaluation, double margin);

// All values finite, all numbers within 0..1.
bool sound(const Evaluation& evaluation);

std::string_view to_string(Encoder encoder);  // "mlp"
bool parse_encoder(std::string_view word, Encoder& out);

}  // namespace hyades::learned
