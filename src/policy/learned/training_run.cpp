#include "policy/learned/training_run.hpp"

#include <algorithm>
#include <stdexcept>

#include "policy/learned/training_bytes.hpp"

namespace hyades::learned {
namespace {

constexpr int kImitationSteps = 400;
constexpr double kCorrection = 0.6;  // of prioritised draws

static_assert(std::is_trivially_copyable_v<Prng> && std::is_trivially_copyable_v<Trial>);
// They go into checkpoints as they are, so no byte may be undefined.
static_assert(sizeof(Trial) == sizeof(std::int64_t) + 4 * sizeof(double) + sizeof(std::size_t) +
                                   sizeof(MarginRatios));

}  // namespace

TrainingRun::TrainingRun(const TrainingSettings& settings, ReplayPool& pool)
    : settings_(settings),
      pool_(pool),
      random_(settings.seed),
      network_(settings.encoder, settings.seed),
      learner_(network_, settings.learner),
      memory_(settings.memory, settings.priority) {
  network_.allow(settings.choices);
}

void TrainingRun::run(const Progress& progress) {
  while (!finished()) {
    advance();
    if (!trial_is_due()) continue;
    note(trial());
    if (progress) progress(trials_.back());
  }
}

void TrainingRun::advance() {
  if (!begun_) {
    play_round();
    const std::size_t expert = network_.allowed()[expert_choice] ? expert_choice : 0;
    learner_.imitate(memory_, expert, kImitationSteps, random_);
    best_weights_ = network_.weights();
    begun_ = true;
  }
  ++round_;
  play_round();
  learn_round();
}

bool TrainingRun::trial_is_due() const { return round_ % settings_.trial_every == 0 || finished(); }

Trial TrainingRun::trial() {
  Trial trial = best_margin(ratios_of(network_, WindowSet::TryOn, pool_));
  trial.round = round_;
  trial.error = error_;
  trial.experiences = memory_.size();
  return trial;
}

void TrainingRun::note(const Trial& trial) {
  trials_.push_back(trial);
  if (trial.ratio >= best_.ratio) return;
  best_ = trial;
  best_weights_ = network_.weights();
}

PolicyNetwork TrainingRun::best_network() const {
  PolicyNetwork network(settings_.encoder, settings_.seed);
  network.allow(settings_.choices);
  network.set_weights(best_weights_);
  return network;
}

// In the order of the episodes, whoever played them: the number of threads changes nothing.
void TrainingRun::play_round() {
  std::vector<EpisodePlan> plans;
  for (int i = 0; i < settings_.episodes; ++i) {
    EpisodePlan plan;
    plan.window = random_.below(pool_.windows(WindowSet::LearnFrom).size());
    plan.exploration = drawn_exploration(random_, network_.allowed(), settings_.exploration);
    plan.law = settings_.law;
    plan.random = random_.split();
    plans.push_back(plan);
  }
  for (Episode& episode : pool_.play(network_, plans)) {
    lived_ += episode.experiences.size();
    for (Experience& experience : episode.experiences) memory_.add(std::move(experience));
  }
}

void TrainingRun::learn_round() {
  double errors = 0;
  for (int i = 0; i < settings_.updates; ++i)
    errors += learner_.learn(memory_, kCorrection, random_);
  error_ = errors / std::max(settings_.updates, 1);
}

// The library's own generator is not among it: only imitating asks that one, before round 1.
std::string TrainingRun::bytes() const {
  std::string out;
  put_value(out, random_);
  put_value(out, round_);
  put_value(out, begun_);
  put_value(out, error_);
  put_value(out, static_cast<std::uint64_t>(lived_));
  put_value(out, best_);
  put_list(out, trials_);
  put_tensors(out, best_weights_);
  put_tensors(out, network_.weights());
  learner_.put_state(out);
  memory_.put_state(out);
  return out;
}

void TrainingRun::restore(std::string_view bytes) {
  Taker from(bytes);
  std::uint64_t lived = 0;
  std::vector<NamedTensor> weights;
  if (!from.take(random_) || !from.take(round_) || !from.take(begun_) || !from.take(error_) ||
      !from.take(lived) || !from.take(best_) || !take_list(from, trials_) ||
      !take_tensors(from, best_weights_) || !take_tensors(from, weights) ||
      !learner_.take_state(from) || !memory_.take_state(from) || !from.is_empty()) {
    throw std::invalid_argument("it holds no training of this version");
  }
  lived_ = lived;
  PolicyNetwork(settings_.encoder, 0).set_weights(best_weights_);  // are they of its shape?
  network_.set_weights(weights);
}

}  // namespace hyades::learned
