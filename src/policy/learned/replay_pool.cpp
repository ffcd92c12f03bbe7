#include "policy/learned/replay_pool.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "policy/learned/network_adviser.hpp"

namespace hyades::learned {
namespace {

constexpr std::size_t kModelsKept = 4096;  // of run times, on the shelf

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

std::vector<std::size_t> places_up_to(std::size_t count) {
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

ReplayPool::ReplayPool(TrainingWindows windows, const ReplaySettings& settings)
    : windows_(std::move(windows)), settings_(settings), shelf_(kModelsKept) {}

const std::vector<TrainingWindow>& ReplayPool::windows(WindowSet set) const {
  switch (set) {
    case WindowSet::LearnFrom:
      return windows_.learn_from;
    case WindowSet::TryOn:
      return windows_.try_on;
    case WindowSet::ChooseBy:
      break;
  }
  return windows_.choose_by;
}

std::vector<TrainingWindow>& ReplayPool::of(WindowSet set) {
  return const_cast<std::vector<TrainingWindow>&>(std::as_const(*this).windows(set));
}

RunTimes ReplayPool::run_times(WindowSet set) const {
  return set == WindowSet::ChooseBy ? RunTimes::Learned : settings_.run_times;
}

void ReplayPool::replay_hand_set(WindowSet set) {
  replay_hand_set(set, places_up_to(windows(set).size()));
}

void ReplayPool::replay_hand_set(WindowSet set, const std::vector<std::size_t>& places) {
  in_parallel(places.size(), settings_.threads, [&](std::size_t i) {
    learned::replay_hand_set(of(set)[places[i]], run_times(set), shelf_);
  });
}

std::vector<Episode> ReplayPool::play(const PolicyNetwork& network,
                                      const std::vector<EpisodePlan>& plans) {
  std::vector<Episode> episodes(plans.size());
  in_parallel(plans.size(), settings_.threads, [&](std::size_t i) {
    const EpisodePlan& plan = plans[i];
    episodes[i] = learned::play(windows_.learn_from[plan.window], network, plan.exploration,
                                plan.law, settings_.run_times, shelf_, plan.random);
  });
  return episodes;
}

std::vector<double> ReplayPool::slowdowns(WindowSet set, const PolicyNetwork& network,
                                          double margin) {
  return slowdowns(set, network, margin, places_up_to(windows(set).size()));
}

std::vector<double> ReplayPool::slowdowns(WindowSet set, const PolicyNetwork& network,
                                          double margin, const std::vector<std::size_t>& places) {
  std::vector<double> out(places.size());
  in_parallel(places.size(), settings_.threads, [&](std::size_t i) {
    const TrainingWindow& window = windows(set)[places[i]];
    NetworkAdviser adviser(network, margin);
    out[i] = mean_slowdown(window, replay_window(window, run_times(set), shelf_, &adviser));
  });
  return out;
}

const std::vector<double>& ReplayPool::fallback_slowdowns(WindowSet set,
                                                          const PolicyNetwork& network) {
  const bool looks_ahead = network.allowed()[expert_choice];
  const auto [found, is_new] = fallbacks_.try_emplace({set, looks_ahead});
  if (is_new && looks_ahead) found->second = slowdowns(set, network, never_departs);
  if (is_new && !looks_ahead) {
    for (const TrainingWindow& window : windows(set)) {
      found->second.push_back(window.hand_set_slowdown);
    }
  }
  return found->second;
}

}  // namespace hyades::learned
