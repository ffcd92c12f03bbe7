#include "policy/learned/episode.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "hsim/metrics.hpp"
#include "policy/learned/network_adviser.hpp"
#include "policy/lookahead.hpp"
#include "policy/prompt_adviser.hpp"

namespace hyades::learned {
namespace {

constexpr double kMostGain = 5;

// What was asked of the actor and what it answered.
struct Deed {
  std::int64_t at_ms = 0;
  std::shared_ptr<const GlobalState> state;
  std::size_t choice = 0;
  UnitNumbers numbers{};
};

double normal_number(Prng& random) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += unit_number(random);
  return sum - 6;
}

// Mostly does what the network says, and now and then something else.
class Actor : public PromptAdviser {
 public:
  Actor(const PolicyNetwork& network, const Exploration& exploration, Prng random)
      : network_(network), exploration_(exploration), random_(random) {}

  const std::vector<Deed>& deeds() const { return deeds_; }

 private:
  AdviserReply reply_to(const GlobalQuestion& question) override {
    if (question.look_ahead) return {look_ahead(question), ""};
    Deed deed{question.at_ms, std::make_shared<GlobalState>(question.state)};
    if (deeds_.empty() || static_cast<int>(deeds_.size()) % exploration_.hold == 0) {
      decide(deed);
    } else {
      deed.choice = deeds_.back().choice;
      deed.numbers = deeds_.back().numbers;
    }
    GlobalAdvice advice = advice_of(deed.choice, deed.numbers, question.scene);
    advice.values.resize(global_choices_count);  // nobody reads them
    deeds_.push_back(std::move(deed));
    return {std::move(advice), ""};
  }

  void decide(Deed& deed) {
    if (exploration_.demonstrated) {
      deed.choice = *exploration_.demonstrated;
      deed.numbers = unit_numbers(GlobalAction{});
      return;
    }
    const Evaluation evaluation = network_.evaluate(*deed.state);
    const std::optional<std::size_t> best = chosen_by(evaluation, 0);
    deed.choice = best.value_or(0);
    const bool by_chance = unit_number(random_) < exploration_.random_rule;
    if (by_chance) deed.choice = random_choice();
    const bool hand_set = exploration_.around_hand_set || (!best && !by_chance);
    deed.numbers = hand_set ? unit_numbers(GlobalAction{}) : evaluation.numbers[deed.choice];
    for (float& number : deed.numbers) {
      const double moved =
          static_cast<double>(number) + exploration_.noise * normal_number(random_);
      number = static_cast<float>(std::clamp(moved, 0.0, 1.0));
    }
  }

  // Of those that are allowed.
  std::size_t random_choice() {
    const GlobalChoices& allowed = network_.allowed();
    std::size_t left = random_.below(allowed.count());
    std::size_t choice = 0;
    while (!allowed[choice] || left-- > 0) ++choice;
    return choice;
  }

  const PolicyNetwork& network_;
  Exploration exploration_;
  Prng random_;
  std::vector<Deed> deeds_;
};

// What waiting costs from each of the times to the next; the last interval has no end.
std::vector<double> costs(const Workload& workload, const std::vector<ReplayedJob>& jobs,
                          const std::vector<double>& times) {
  std::vector<double> out(times.size(), 0.0);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto from = static_cast<double>(workload.jobs[i].submit_s);
    const auto to = static_cast<double>(jobs[i].start_s);
    const double rate = 1 / std::max(static_cast<double>(workload.jobs[i].run_s), shortest_run_s);
    auto at = std::upper_bound(times.begin(), times.end(), from);
    std::size_t k = at == times.begin() ? 0 : static_cast<std::size_t>(at - times.begin()) - 1;
    for (; k < times.size(); ++k) {
      const double begin = std::max(from, times[k]);
      const double end = k + 1 < times.size() ? std::min(to, times[k + 1]) : to;
      if (end > begin) out[k] += (end - begin) * rate;
      if (k + 1 >= times.size() || times[k + 1] >= to) break;
    }
  }
  return out;
}

double scaled(double gain) {
  const double size = std::min(std::log1p(std::abs(gain)), kMostGain);
  return gain < 0 ? -size : size;
}

std::vector<double> gains_of(const TrainingWindow& window, const std::vector<ReplayedJob>& jobs,
                             const std::vector<Deed>& deeds) {
  const std::int64_t origin = origin_ms(window.workload);
  const auto first_s = static_cast<double>(window.workload.jobs.front().submit_s);
  std::vector<double> times;
  for (const Deed& deed : deeds) {
    times.push_back(first_s + static_cast<double>(deed.at_ms - origin) / 1000);
  }
  const std::vector<double> ours = costs(window.workload, jobs, times);
  const std::vector<double> theirs = costs(window.workload, window.hand_set, times);
  double total = static_cast<double>(jobs.size());  // a slowdown of 1 is the least
  for (const double cost : theirs) total += cost;
  const double unit = total / static_cast<double>(times.size());
  std::vector<double> gains;
  for (std::size_t i = 0; i < times.size(); ++i)
    gains.push_back(scaled((theirs[i] - ours[i]) / unit));
  return gains;
}

ClusterConfig training_config(int procs, RunTimes run_times) {
  ClusterConfig config = pool_of(procs, QueueOrder::Learned, Backfill::Easy);
  config.guard.enabled = true;
  config.queues.front().run_times = run_times;
  return config;
}

}  // namespace

Workload with_pace(Workload workload, double factor) {
  if (workload.jobs.empty()) return workload;
  const std::int64_t first = workload.jobs.front().submit_s;
  for (TraceJob& job : workload.jobs) {
    job.submit_s =
        first + static_cast<std::int64_t>(static_cast<double>(job.submit_s - first) / factor);
  }
  return workload;
}

std::vector<ReplayedJob> replay_window(const TrainingWindow& window, RunTimes run_times,
                                       ModelShelf& shelf, Adviser* adviser) {
  ReplayOptions options;
  options.config =
      std::make_shared<ClusterConfig>(training_config(window.workload.procs, run_times));
  Replay replay = replay_knowing(window.workload, window.earlier, origin_ms(window.workload),
                                 options, &shelf, adviser);
  if (replay.refused > 0) throw std::runtime_error(window.log + ": " + replay.first_refusal);
  return std::move(replay.jobs);
}

double mean_slowdown(const TrainingWindow& window, const std::vector<ReplayedJob>& jobs) {
  return measure(window.workload, jobs).avg_bsld;
}

void replay_hand_set(TrainingWindow& window, RunTimes run_times, ModelShelf& shelf) {
  window.hand_set = replay_window(window, run_times, shelf, nullptr);
  window.hand_set_slowdown = mean_slowdown(window, window.hand_set);
}

// Half of them hold what they try for long, so that what it does in the long run can be seen.
Exploration drawn_exploration(Prng& random, const GlobalChoices& choices, double factor) {
  Exploration drawn;
  switch (random.below(8)) {
    case 0:
    case 1:
      drawn = {.random_rule = 0.3, .noise = 0.2, .hold = 24, .around_hand_set = true};
      break;
    case 2:
      drawn = {.random_rule = 0.3, .noise = 0.2, .hold = 1'000'000, .around_hand_set = true};
      break;
    case 3:
      if (choices[expert_choice]) drawn.demonstrated = expert_choice;
      break;
    default:
      break;
  }
  drawn.random_rule = std::min(1.0, drawn.random_rule * factor);
  drawn.noise *= factor;
  return drawn;
}

Episode play(const TrainingWindow& window, const PolicyNetwork& network,
             const Exploration& exploration, const LearningLaw& law, RunTimes run_times,
             ModelShelf& shelf, Prng random) {
  Actor actor(network, exploration, random);
  const std::vector<ReplayedJob> jobs = replay_window(window, run_times, shelf, &actor);
  const std::vector<Deed>& deeds = actor.deeds();
  const std::vector<double> gains = gains_of(window, jobs, deeds);
  Episode episode;
  episode.slowdown = mean_slowdown(window, jobs);
  const auto steps = static_cast<std::size_t>(law.steps);
  for (std::size_t i = 0; i < deeds.size(); ++i) {
    Experience experience{deeds[i].state, deeds[i].choice, deeds[i].numbers};
    double gain = 0, discount = 1;
    for (std::size_t k = i; k < std::min(i + steps, deeds.size()); ++k) {
      gain += discount * gains[k];
      discount *= law.discount;
    }
    experience.gain = static_cast<float>(gain);
    if (i + steps < deeds.size()) {
      experience.discount = static_cast<float>(discount);
      experience.next = deeds[i + steps].state;
    }
    episode.experiences.push_back(std::move(experience));
  }
  return episode;
}

}  // namespace hyades::learned
