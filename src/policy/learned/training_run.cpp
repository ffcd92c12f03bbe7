#include "policy/learned/training_run.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "hsim/bootstrap.hpp"
#include "policy/learned/network_adviser.hpp"

namespace hyades::learned {
namespace {

constexpr int kImitationSteps = 400;
constexpr double kCorrection = 0.6;  // of prioritised draws
constexpr double kMargins[] = {0, 0.05, 0.2, 0.5};

Trial tried_with(const PolicyNetwork& network, double margin,
                 const std::vector<TrainingWindow>& windows, RunTimes run_times, int threads,
                 ModelShelf& shelf) {
  std::vector<double> slowdowns(windows.size());
  in_parallel(windows.size(), threads, [&](std::size_t i) {
    NetworkAdviser adviser(network, margin);
    slowdowns[i] = mean_slowdown(windows[i], replay_window(windows[i], run_times, shelf, &adviser));
  });
  std::map<std::string, PairedWindows> logs;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    logs[windows[i].log].a.push_back(slowdowns[i]);
    logs[windows[i].log].b.push_back(windows[i].hand_set_slowdown);
  }
  std::vector<PairedWindows> pairs;
  for (auto& [name, log] : logs) pairs.push_back(std::move(log));
  const Interval ratio = bootstrap_geometric_ratio(pairs, {.resamples = 1000});
  return {.margin = margin, .ratio = ratio.value, .high = ratio.high};
}

// The margin under which that figure of the trial is least, and below 1.
Trial margin_with_least(double Trial::*figure, const PolicyNetwork& network,
                        const std::vector<TrainingWindow>& windows, RunTimes run_times, int threads,
                        ModelShelf& shelf) {
  Trial best{.margin = never_departs};
  for (const double margin : kMargins) {
    const Trial trial = tried_with(network, margin, windows, run_times, threads, shelf);
    if (trial.*figure < best.*figure) best = trial;
  }
  return best;
}

}  // namespace

void in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& each) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        each(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

TrainingRun::TrainingRun(const std::vector<TrainingWindow>& learn_from,
                         const std::vector<TrainingWindow>& try_on,
                         const TrainingSettings& settings, ModelShelf& shelf)
    : learn_from_(learn_from),
      try_on_(try_on),
      settings_(settings),
      shelf_(shelf),
      random_(settings.seed),
      network_(settings.encoder, settings.seed),
      learner_(network_, settings.learner),
      memory_(settings.memory, settings.priority) {}

void TrainingRun::run(const Progress& progress) {
  play_round();
  learner_.imitate(memory_, kImitationSteps, random_);
  best_weights_ = network_.weights();
  for (int round = 1; round <= settings_.rounds; ++round) {
    play_round();
    const double error = learn_round();
    if (round % settings_.trial_every != 0 && round != settings_.rounds) continue;
    Trial trial = best_margin(network_, try_on_, settings_.run_times, settings_.threads, shelf_);
    trial.round = round;
    trial.error = error;
    trial.experiences = memory_.size();
    if (trial.ratio < best_.ratio) {
      best_ = trial;
      best_weights_ = network_.weights();
    }
    if (progress) progress(trial);
  }
  network_.set_weights(best_weights_);
}

// In the order of the episodes, whoever played them: the number of threads changes nothing.
void TrainingRun::play_round() {
  struct Plan {
    const TrainingWindow* window;
    Exploration exploration;
    Prng random;
  };
  std::vector<Plan> plans;
  for (int i = 0; i < settings_.episodes; ++i) {
    const TrainingWindow& window = learn_from_[random_.below(learn_from_.size())];
    const Exploration exploration = drawn_exploration(random_);
    plans.push_back({&window, exploration, random_.split()});
  }
  std::vector<Episode> episodes(plans.size());
  in_parallel(plans.size(), settings_.threads, [&](std::size_t i) {
    episodes[i] = play(*plans[i].window, network_, plans[i].exploration, settings_.law,
                       settings_.run_times, shelf_, plans[i].random);
  });
  for (Episode& episode : episodes) {
    for (Experience& experience : episode.experiences) memory_.add(std::move(experience));
  }
}

double TrainingRun::learn_round() {
  double errors = 0;
  for (int i = 0; i < settings_.updates; ++i)
    errors += learner_.learn(memory_, kCorrection, random_);
  return errors / std::max(settings_.updates, 1);
}

Trial best_margin(const PolicyNetwork& network, const std::vector<TrainingWindow>& windows,
                  RunTimes run_times, int threads, ModelShelf& shelf) {
  return margin_with_least(&Trial::ratio, network, windows, run_times, threads, shelf);
}

Trial sure_margin(const PolicyNetwork& network, const std::vector<TrainingWindow>& windows,
                  RunTimes run_times, int threads, ModelShelf& shelf) {
  return margin_with_least(&Trial::high, network, windows, run_times, threads, shelf);
}

}  // namespace hyades::learned
