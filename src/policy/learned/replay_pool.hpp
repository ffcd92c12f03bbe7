// The replays of a training: its windows under the hand-set action, episodes to learn from, and
// trials of a policy. What comes out does not depend on the number of threads.
//
// Not safe for use by several threads at once; it makes its own.
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "policy/learned/training_windows.hpp"

namespace hyades::learned {

enum class WindowSet { LearnFrom, TryOn, ChooseBy };

struct ReplaySettings {
  RunTimes run_times = RunTimes::LastTwo;  // of the windows to choose by: as the master does
  int threads = 2;
};

// An episode that is to be played: all that is left to chance was drawn, but for what `random`
// gives.
struct EpisodePlan {
  std::size_t window = 0;  // of those to learn from
  Exploration exploration;
  LearningLaw law;
  Prng random{0};
};

class ReplayPool {
 public:
  ReplayPool(TrainingWindows windows, const ReplaySettings& settings);
  virtual ~ReplayPool() = default;
  ReplayPool(const ReplayPool&) = delete;
  ReplayPool& operator=(const ReplayPool&) = delete;

  const TrainingWindows& windows() const { return windows_; }
  const std::vector<TrainingWindow>& windows(WindowSet set) const;
  RunTimes run_times(WindowSet set) const;

  // Under the hand-set action: once for each set, before anything else is asked of it.
  virtual void replay_hand_set(WindowSet set);
  // In the order of the plans.
  virtual std::vector<Episode> play(const PolicyNetwork& network,
                                    const std::vector<EpisodePlan>& plans);
  // The mean bounded slowdown of each window of the set under the network with that margin.
  virtual std::vector<double> slowdowns(WindowSet set, const PolicyNetwork& network, double margin);
  // The same under the network's fallback, found once for each set.
  const std::vector<double>& fallback_slowdowns(WindowSet set, const PolicyNetwork& network);

 protected:
  std::vector<TrainingWindow>& of(WindowSet set);
  // Of those that stand at these places.
  void replay_hand_set(WindowSet set, const std::vector<std::size_t>& places);
  std::vector<double> slowdowns(WindowSet set, const PolicyNetwork& network, double margin,
                                const std::vector<std::size_t>& places);

 private:
  TrainingWindows windows_;
  ReplaySettings settings_;
  ModelShelf shelf_;
  std::map<std::pair<WindowSet, bool>, std::vector<double>> fallbacks_;  // with looking ahead
};

// 0 ... count - 1
std::vector<std::size_t> places_up_to(std::size_t count);

// f(0) ... f(count - 1) on so many threads; throws what one of them threw.
void in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& each);

}  // namespace hyades::learned
