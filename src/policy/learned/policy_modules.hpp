// The networks behind PolicyNetwork, for the files that know Torch.
#pragma once

#include <torch/torch.h>

#include <span>

#include "policy/learned/policy_network.hpp"

namespace hyades::learned {

constexpr std::int64_t features_count = 128;  // of an encoded state
constexpr std::int64_t choices_count = global_choices_count;
constexpr std::int64_t numbers_count = global_numbers_count;

// States as tensors: frames [B, 8, 60], occupancy [B, 3, 64].
struct StateBatch {
  torch::Tensor frames;
  torch::Tensor occupancy;
};
StateBatch state_batch(std::span<const GlobalState* const> states);

// To features [B, 128].
struct StateEncoderImpl : torch::nn::Module {
  explicit StateEncoderImpl(Encoder encoder);
  torch::Tensor forward(const StateBatch& states);

  Encoder kind;
  torch::nn::Conv1d conv1{nullptr}, conv2{nullptr};
  torch::nn::Linear bins{nullptr};
  torch::nn::LSTM lstm{nullptr};
  torch::nn::Linear first{nullptr}, second{nullptr};
};
TORCH_MODULE(StateEncoder);

// What the hand-set action is worth, and how much more others are.
struct ValueNetImpl : torch::nn::Module {
  explicit ValueNetImpl(Encoder encoder);
  torch::Tensor state_value(const torch::Tensor& features);  // [B]
  // Choices [B, K] (long) and numbers [B, K, 3] to gains over the hand-set action [B, K].
  torch::Tensor gains(const torch::Tensor& features, const torch::Tensor& choices,
                      const torch::Tensor& numbers);

  StateEncoder encode;
  torch::nn::Linear value1{nullptr}, value2{nullptr};
  torch::nn::Linear gain1{nullptr}, gain2{nullptr};

 private:
  torch::Tensor advantage(const torch::Tensor& features, const torch::Tensor& choices,
                          const torch::Tensor& numbers);
};
TORCH_MODULE(ValueNet);

// Proposes the numbers of every choice: [B, 12, 3], each 0..1.
struct NumbersNetImpl : torch::nn::Module {
  explicit NumbersNetImpl(Encoder encoder);
  torch::Tensor forward(const StateBatch& states);

  StateEncoder encode;
  torch::nn::Linear out{nullptr};
};
TORCH_MODULE(NumbersNet);

struct NetworkModules {
  explicit NetworkModules(Encoder encoder) : value(encoder), numbers(encoder) {}
  ValueNet value;
  NumbersNet numbers;
  // What is added to the gains of choices before one is chosen: 0, or not_allowed. [12]
  torch::Tensor penalty = torch::zeros({choices_count});
  void allow(const GlobalChoices& choices);
};

// Every choice in each row: [B, 12].
torch::Tensor every_choice_of(std::int64_t rows);
// The numbers of the hand-set action.
torch::Tensor hand_set_numbers();

}  // namespace hyades::learned
