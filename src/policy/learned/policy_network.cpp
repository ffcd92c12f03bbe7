#include "policy/learned/policy_network.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "one_thread.hpp"
#include "policy/learned/policy_modules.hpp"

namespace hyades::learned {
namespace {

constexpr std::int64_t kFigures = global_figures_count;
constexpr std::int64_t kFrames = global_frames_count;
constexpr std::int64_t kBins = occupancy_bins;
constexpr std::int64_t kChannels = occupancy_channels;
constexpr std::int64_t kConvChannels = 12;
constexpr std::int64_t kLstmSize = 64;
constexpr std::int64_t kBinFeatures = 48;
constexpr std::int64_t kHeadSize = 64;

std::unique_ptr<NetworkModules> make_modules(Encoder encoder, std::uint64_t seed) {
  jobscripts::use_one_thread();
  torch::manual_seed(seed);
  return std::make_unique<NetworkModules>(encoder);
}

template <typename Visit>
void each_parameter(NetworkModules& modules, const Visit& visit) {
  for (const auto& item : modules.value->named_parameters()) {
    visit("value." + item.key(), item.value());
  }
  for (const auto& item : modules.numbers->named_parameters()) {
    visit("numbers." + item.key(), item.value());
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += (text == "[" ? "" : ", ") + std::to_string(size);
  return text + "]";
}

}  // namespace

// ---- the networks -------------------------------------------------------------------------------

StateBatch state_batch(std::span<const GlobalState* const> states) {
  const auto rows = static_cast<std::int64_t>(states.size());
  StateBatch batch{torch::empty({rows, kFrames, kFigures}), torch::empty({rows, kChannels, kBins})};
  auto* frames = batch.frames.data_ptr<float>();
  auto* bins = batch.occupancy.data_ptr<float>();
  for (const GlobalState* const state : states) {
    for (const GlobalFigures& frame : state->frames) {
      frames = std::copy(frame.begin(), frame.end(), frames);
    }
    for (const auto& channel : state->occupancy) {
      bins = std::copy(channel.begin(), channel.end(), bins);
    }
  }
  return batch;
}

torch::Tensor every_choice_of(std::int64_t rows) {
  return torch::arange(choices_count).unsqueeze(0).expand({rows, choices_count});
}

torch::Tensor hand_set_numbers() {
  const UnitNumbers numbers = unit_numbers(GlobalAction{});
  return torch::tensor(std::vector<float>(numbers.begin(), numbers.end()));
}

StateEncoderImpl::StateEncoderImpl(Encoder encoder) : kind(encoder) {
  std::int64_t inputs = 2 * kFigures + kChannels * kBins;
  if (kind == Encoder::CnnLstm) {
    using Options = torch::nn::Conv1dOptions;
    conv1 = register_module(
        "conv1", torch::nn::Conv1d(Options(kChannels, kConvChannels, 5).stride(2).padding(2)));
    conv2 = register_module(
        "conv2", torch::nn::Conv1d(Options(kConvChannels, kConvChannels, 5).stride(2).padding(2)));
    bins = register_module("bins", torch::nn::Linear(kConvChannels * kBins / 4, kBinFeatures));
    lstm = register_module(
        "lstm", torch::nn::LSTM(torch::nn::LSTMOptions(kFigures, kLstmSize).batch_first(true)));
    inputs = kFigures + kBinFeatures + kLstmSize;
  }
  first = register_module("first", torch::nn::Linear(inputs, features_count));
  second = register_module("second", torch::nn::Linear(features_count, features_count));
}

torch::Tensor StateEncoderImpl::forward(const StateBatch& states) {
  const torch::Tensor now = states.frames.select(1, kFrames - 1);
  torch::Tensor all;
  if (kind == Encoder::CnnLstm) {
    torch::Tensor x = torch::relu(conv1(states.occupancy));
    x = torch::relu(conv2(x)).flatten(1);
    const torch::Tensor past = std::get<0>(lstm(states.frames)).select(1, kFrames - 1);
    all = torch::cat({now, torch::relu(bins(x)), past}, 1);
  } else {
    all = torch::cat({now, now - states.frames.select(1, 0), states.occupancy.flatten(1)}, 1);
  }
  return torch::relu(second(torch::relu(first(all))));
}

ValueNetImpl::ValueNetImpl(Encoder encoder) : encode(encoder) {
  register_module("encode", encode);
  value1 = register_module("value1", torch::nn::Linear(features_count, kHeadSize));
  value2 = register_module("value2", torch::nn::Linear(kHeadSize, 1));
  gain1 = register_module(
      "gain1", torch::nn::Linear(features_count + choices_count + numbers_count, kHeadSize));
  gain2 = register_module("gain2", torch::nn::Linear(kHeadSize, 1));
}

torch::Tensor ValueNetImpl::state_value(const torch::Tensor& features) {
  return value2(torch::relu(value1(features))).squeeze(1);
}

torch::Tensor ValueNetImpl::advantage(const torch::Tensor& features, const torch::Tensor& choices,
                                      const torch::Tensor& numbers) {
  const std::int64_t each = choices.size(1);
  const torch::Tensor repeated =
      features.unsqueeze(1).expand({features.size(0), each, features_count});
  const torch::Tensor one_hot = torch::one_hot(choices, choices_count).to(torch::kFloat);
  const torch::Tensor input = torch::cat({repeated, one_hot, numbers}, 2);
  return gain2(torch::relu(gain1(input))).squeeze(2);
}

torch::Tensor ValueNetImpl::gains(const torch::Tensor& features, const torch::Tensor& choices,
                                  const torch::Tensor& numbers) {
  const std::int64_t rows = features.size(0);
  const torch::Tensor hand_set =
      advantage(features, torch::zeros({rows, 1}, torch::kLong),
                hand_set_numbers().view({1, 1, numbers_count}).expand({rows, 1, numbers_count}));
  return advantage(features, choices, numbers) - hand_set;
}

NumbersNetImpl::NumbersNetImpl(Encoder encoder) : encode(encoder) {
  register_module("encode", encode);
  out = register_module("out", torch::nn::Linear(features_count, choices_count * numbers_count));
}

torch::Tensor NumbersNetImpl::forward(const StateBatch& states) {
  return torch::sigmoid(out(encode(states))).view({-1, choices_count, numbers_count});
}

void NetworkModules::allow(const GlobalChoices& choices) {
  for (std::int64_t i = 0; i < choices_count; ++i) {
    penalty[i] = choices[static_cast<std::size_t>(i)] ? 0.0f : not_allowed;
  }
}

// ---- without Torch ------------------------------------------------------------------------------

PolicyNetwork::PolicyNetwork(Encoder encoder, std::uint64_t seed)
    : encoder_(encoder), modules_(make_modules(encoder, seed)) {}
PolicyNetwork::~PolicyNetwork() = default;
PolicyNetwork::PolicyNetwork(PolicyNetwork&&) noexcept = default;
PolicyNetwork& PolicyNetwork::operator=(PolicyNetwork&&) noexcept = default;

Evaluation PolicyNetwork::evaluate(const GlobalState& state) const {
  const torch::InferenceMode guard;
  const GlobalState* const states[] = {&state};
  const StateBatch batch = state_batch(states);
  const torch::Tensor numbers = modules_->numbers->forward(batch).contiguous();
  const torch::Tensor features = modules_->value->encode(batch);
  const torch::Tensor gains =
      modules_->value->gains(features, every_choice_of(1), numbers).contiguous();
  Evaluation evaluation;
  evaluation.hand_set = modules_->value->state_value(features).item<float>();
  for (std::size_t i = 0; i < global_choices_count; ++i) {
    evaluation.gains[i] = allowed_[i] ? gains.data_ptr<float>()[i] : not_allowed;
    for (std::size_t j = 0; j < global_numbers_count; ++j) {
      evaluation.numbers[i][j] = numbers.data_ptr<float>()[i * global_numbers_count + j];
    }
  }
  return evaluation;
}

void PolicyNetwork::allow(const GlobalChoices& choices) {
  allowed_ = choices;
  allowed_.set(0);
  modules_->allow(allowed_);
}

std::vector<NamedTensor> PolicyNetwork::weights() const {
  std::vector<NamedTensor> all;
  each_parameter(*modules_, [&](const std::string& name, const torch::Tensor& parameter) {
    const torch::Tensor values = parameter.detach().contiguous();
    const auto* const data = values.data_ptr<float>();
    all.push_back({name, values.sizes().vec(), std::vector<float>(data, data + values.numel())});
  });
  return all;
}

void PolicyNetwork::set_weights(const std::vector<NamedTensor>& weights) {
  std::map<std::string, const NamedTensor*> by_name;
  for (const NamedTensor& tensor : weights) by_name[tensor.name] = &tensor;
  const torch::NoGradGuard guard;
  std::size_t used = 0;
  each_parameter(*modules_, [&](const std::string& name, const torch::Tensor& parameter) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) throw std::invalid_argument("it has no tensor '" + name + "'");
    const NamedTensor& tensor = *found->second;
    if (tensor.shape != parameter.sizes().vec()) {
      throw std::invalid_argument("tensor '" + name + "' has the shape " +
                                  shape_text(tensor.shape) + ", not " +
                                  shape_text(parameter.sizes().vec()));
    }
    parameter.copy_(torch::tensor(tensor.values).view(tensor.shape));
    ++used;
  });
  if (used != weights.size()) throw std::invalid_argument("it has tensors of another network");
}

std::optional<std::size_t> chosen_by(const Evaluation& evaluation, double margin) {
  const auto best = std::max_element(evaluation.gains.begin(), evaluation.gains.end());
  const bool has_expert = evaluation.gains[expert_choice] > not_allowed;
  const float otherwise = has_expert ? evaluation.gains[expert_choice] : 0;
  if (static_cast<double>(std::max(*best, 0.0f)) <= static_cast<double>(otherwise) + margin) {
    return has_expert ? std::optional(expert_choice) : std::nullopt;
  }
  if (*best <= 0) return std::nullopt;
  return static_cast<std::size_t>(best - evaluation.gains.begin());
}

bool sound(const Evaluation& evaluation) {
  const auto finite = [](float value) { return std::isfinite(value); };
  return finite(evaluation.hand_set) &&
         std::all_of(evaluation.gains.begin(), evaluation.gains.end(), finite) &&
         std::all_of(evaluation.numbers.begin(), evaluation.numbers.end(), [](const auto& numbers) {
           return std::all_of(numbers.begin(), numbers.end(),
                              [](float number) { return number >= 0 && number <= 1; });
         });
}

std::string_view to_string(Encoder encoder) { return encoder == Encoder::Mlp ? "mlp" : "cnn-lstm"; }

bool parse_encoder(std::string_view word, Encoder& out) {
  for (const Encoder encoder : {Encoder::Mlp, Encoder::CnnLstm}) {
    if (word != to_string(encoder)) continue;
    out = encoder;
    return true;
  }
  return false;
}

}  // namespace hyades::learned
