#include "policy/learned/policy_learner.hpp"

#include <vector>

#include "policy/learned/policy_modules.hpp"
#include "policy/learned/training_bytes.hpp"

namespace hyades::learned {
namespace {

constexpr double kImitationMargin = 0.05;
constexpr double kMostGradient = 1.0;

using Batch = std::vector<ReplayMemory::Drawn>;

StateBatch states_of(const Batch& batch) {
  std::vector<const GlobalState*> states;
  for (const auto& drawn : batch) states.push_back(drawn.experience->state.get());
  return state_batch(states);
}

// Where nothing follows, any state will do: its discount is 0.
StateBatch next_states_of(const Batch& batch) {
  std::vector<const GlobalState*> states;
  for (const auto& drawn : batch) {
    const Experience& experience = *drawn.experience;
    states.push_back(experience.next ? experience.next.get() : experience.state.get());
  }
  return state_batch(states);
}

template <typename Value>
torch::Tensor column(const Batch& batch, const Value& value) {
  std::vector<float> values;
  for (const auto& drawn : batch) values.push_back(value(drawn));
  return torch::tensor(values);
}

torch::Tensor taken_choices(const Batch& batch) {
  std::vector<std::int64_t> choices;
  for (const auto& drawn : batch) {
    choices.push_back(static_cast<std::int64_t>(drawn.experience->choice));
  }
  return torch::tensor(choices).unsqueeze(1);
}

torch::Tensor taken_numbers(const Batch& batch) {
  std::vector<float> numbers;
  for (const auto& drawn : batch) {
    numbers.insert(numbers.end(), drawn.experience->numbers.begin(),
                   drawn.experience->numbers.end());
  }
  return torch::tensor(numbers).view({-1, 1, numbers_count});
}

void follow(const torch::nn::Module& from, const torch::nn::Module& to, double rate) {
  const torch::NoGradGuard guard;
  const std::vector<torch::Tensor> source = from.parameters();
  const std::vector<torch::Tensor> target = to.parameters();
  for (std::size_t i = 0; i < source.size(); ++i) target[i].lerp_(source[i], rate);
}

void step(torch::optim::Adam& optimizer, const torch::nn::Module& module,
          const torch::Tensor& loss) {
  optimizer.zero_grad();
  loss.backward();
  torch::nn::utils::clip_grad_norm_(module.parameters(), kMostGradient);
  optimizer.step();
}

void put_tensor(std::string& out, const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().contiguous();
  put(out, values.data_ptr<float>(), static_cast<std::size_t>(values.numel()));
}

bool take_tensor(Taker& from, const torch::Tensor& tensor) {
  const torch::NoGradGuard guard;
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
  if (!from.take(values.data(), values.size())) return false;
  tensor.copy_(torch::tensor(values).view(tensor.sizes()));
  return true;
}

// Parameters in their order; the shapes are the module's.
void put_parameters(std::string& out, const torch::nn::Module& module) {
  for (const torch::Tensor& parameter : module.parameters()) put_tensor(out, parameter);
}

bool take_parameters(Taker& from, const torch::nn::Module& module) {
  for (const torch::Tensor& parameter : module.parameters()) {
    if (!take_tensor(from, parameter)) return false;
  }
  return true;
}

// The optimizer keeps nothing of a parameter before its first step: then the number of steps is 0.
void put_moments(std::string& out, torch::optim::Adam& optimizer) {
  for (const torch::Tensor& parameter : optimizer.param_groups().front().params()) {
    const auto found =
        optimizer.state().find(c10::guts::to_string(parameter.unsafeGetTensorImpl()));
    const bool is_there = found != optimizer.state().end();
    auto* state =
        is_there ? static_cast<torch::optim::AdamParamState*>(found->second.get()) : nullptr;
    put_value(out, state != nullptr ? state->step() : std::int64_t{0});
    if (state == nullptr) continue;
    put_tensor(out, state->exp_avg());
    put_tensor(out, state->exp_avg_sq());
  }
}

bool take_moments(Taker& from, torch::optim::Adam& optimizer) {
  optimizer.state().clear();
  for (const torch::Tensor& parameter : optimizer.param_groups().front().params()) {
    std::int64_t steps = 0;
    if (!from.take(steps) || steps < 0) return false;
    if (steps == 0) continue;
    auto state = std::make_unique<torch::optim::AdamParamState>();
    const torch::Tensor first = torch::zeros_like(parameter, torch::MemoryFormat::Preserve);
    const torch::Tensor second = torch::zeros_like(parameter, torch::MemoryFormat::Preserve);
    if (!take_tensor(from, first) || !take_tensor(from, second)) return false;
    state->step(steps);
    state->exp_avg(first);
    state->exp_avg_sq(second);
    optimizer.state()[c10::guts::to_string(parameter.unsafeGetTensorImpl())] = std::move(state);
  }
  return true;
}

}  // namespace

struct PolicyLearner::State {
  State(PolicyNetwork& its, const LearnerSettings& how)
      : settings(how),
        online(its.modules()),
        target(its.encoder()),
        value_optimizer(online.value->parameters(), torch::optim::AdamOptions(how.value_rate)),
        numbers_optimizer(online.numbers->parameters(),
                          torch::optim::AdamOptions(how.numbers_rate)) {
    follow_online(1);
  }

  void follow_online(double rate) {
    follow(*online.value, *target.value, rate);
    follow(*online.numbers, *target.numbers, rate);
  }
  torch::Tensor targets(const Batch& batch);
  void learn_numbers(const StateBatch& states);

  LearnerSettings settings;
  NetworkModules& online;
  NetworkModules target;
  torch::optim::Adam value_optimizer;
  torch::optim::Adam numbers_optimizer;
};

// The online network chooses, the target network says what that is worth: else the largest of many
// errors is taken for a value. Following the hand-set action is always possible, too.
torch::Tensor PolicyLearner::State::targets(const Batch& batch) {
  const torch::NoGradGuard guard;
  const StateBatch next = next_states_of(batch);
  const auto rows = static_cast<std::int64_t>(batch.size());
  const torch::Tensor numbers = target.numbers->forward(next);
  const torch::Tensor all = every_choice_of(rows);
  const torch::Tensor online_gains =
      online.value->gains(online.value->encode(next), all, numbers) + online.penalty;
  const auto [best, place] = online_gains.max(1, true);
  const torch::Tensor features = target.value->encode(next);
  const torch::Tensor gains = target.value->gains(features, all, numbers).gather(1, place);
  const torch::Tensor gain =
      torch::where(best.squeeze(1) > 0, gains.squeeze(1), torch::zeros({rows}));
  const torch::Tensor value = target.value->state_value(features) + gain;
  return column(batch, [](const auto& drawn) { return drawn.experience->gain; }) +
         column(batch, [](const auto& drawn) { return drawn.experience->discount; }) * value;
}

// Up the gains of the proposed numbers; the values stay.
void PolicyLearner::State::learn_numbers(const StateBatch& states) {
  torch::Tensor features;
  {
    const torch::NoGradGuard guard;
    features = online.value->encode(states);
  }
  const torch::Tensor numbers = online.numbers->forward(states);
  const torch::Tensor gains =
      online.value->gains(features, every_choice_of(states.frames.size(0)), numbers);
  step(numbers_optimizer, *online.numbers, -gains.mean());
}

PolicyLearner::PolicyLearner(PolicyNetwork& network, const LearnerSettings& settings)
    : state_(std::make_unique<State>(network, settings)) {}
PolicyLearner::~PolicyLearner() = default;

void PolicyLearner::imitate(const ReplayMemory& memory, std::size_t expert, int steps,
                            Prng& random) {
  torch::Tensor sign = torch::ones({choices_count});
  if (expert != 0) sign[static_cast<std::int64_t>(expert)] = -1;
  torch::optim::Adam values(state_->online.value->parameters(), torch::optim::AdamOptions(1e-3));
  torch::optim::Adam numbers(state_->online.numbers->parameters(), torch::optim::AdamOptions(1e-3));
  for (int i = 0; i < steps; ++i) {
    const Batch batch = memory.draw(state_->settings.batch, 0, random);
    const StateBatch states = states_of(batch);
    const torch::Tensor proposed = state_->online.numbers->forward(states);
    step(numbers, *state_->online.numbers, (proposed - hand_set_numbers()).pow(2).mean());
    const auto rows = static_cast<std::int64_t>(batch.size());
    const torch::Tensor features = state_->online.value->encode(states);
    const torch::Tensor gains =
        state_->online.value->gains(features, every_choice_of(rows), torch::rand_like(proposed));
    const torch::Tensor value = state_->online.value->state_value(features);
    step(values, *state_->online.value,
         torch::relu(gains * sign + kImitationMargin).mean() + value.pow(2).mean());
  }
  state_->follow_online(1);
}

double PolicyLearner::learn(ReplayMemory& memory, double correction, Prng& random) {
  const Batch batch = memory.draw(state_->settings.batch, correction, random);
  const torch::Tensor target = state_->targets(batch);
  const StateBatch states = states_of(batch);
  const torch::Tensor features = state_->online.value->encode(states);
  const torch::Tensor gain =
      state_->online.value->gains(features, taken_choices(batch), taken_numbers(batch)).squeeze(1);
  const torch::Tensor value = state_->online.value->state_value(features) + gain;
  const torch::Tensor weights = column(batch, [](const auto& drawn) { return drawn.weight; });
  const torch::Tensor losses = torch::nn::functional::huber_loss(
      value, target, torch::nn::functional::HuberLossFuncOptions().reduction(torch::kNone));
  const torch::Tensor loss = (weights * losses).mean();
  step(state_->value_optimizer, *state_->online.value, loss);
  const torch::Tensor errors = (value - target).detach().abs().contiguous();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    memory.set_error(batch[i].place, static_cast<double>(errors.data_ptr<float>()[i]));
  }
  if (state_->settings.numbers_rate > 0) state_->learn_numbers(states);
  state_->follow_online(state_->settings.follow);
  return errors.mean().item<double>();
}

void PolicyLearner::put_state(std::string& out) const {
  put_parameters(out, *state_->target.value);
  put_parameters(out, *state_->target.numbers);
  put_moments(out, state_->value_optimizer);
  put_moments(out, state_->numbers_optimizer);
}

bool PolicyLearner::take_state(Taker& from) {
  return take_parameters(from, *state_->target.value) &&
         take_parameters(from, *state_->target.numbers) &&
         take_moments(from, state_->value_optimizer) &&
         take_moments(from, state_->numbers_optimizer);
}

}  // namespace hyades::learned
