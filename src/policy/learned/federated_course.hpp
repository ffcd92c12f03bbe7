// A training in which every rank learns from logs of its own. What travels: weights, how many
// experiences they are from, and how well they did on the rank's windows (a ratio and its bounds
// under each margin). Logs and experiences stay where they are.
//
// The ranks begin with rank 0's weights. Optimizers and target networks stay each rank's own.
#pragma once

#include "policy/learned/training_course.hpp"
#include "policy/learned/training_ranks.hpp"

namespace hyades::learned {

// Under each margin the geometric mean of the ranks' ratios, each rank counting for its logs; the
// bounds are the best and the worst of any rank. So what is beyond doubt (`high` below 1) is so on
// every rank's own windows. The same on every rank.
MarginRatios ratios_of_ranks(TrainingRanks& ranks, const MarginRatios& own, std::size_t logs);

// What every rank says, joined by spaces, on every rank.
std::string texts_of_ranks(TrainingRanks& ranks, const std::string& own);

class FederatedCourse final : public TrainingCourse {
 public:
  // `run`: of this rank's windows. `logs`: how many it has. `ranks` must outlive this.
  FederatedCourse(TrainingRun& run, const TrainOptions& options, TrainingFacts facts,
                  std::function<double()> seconds, TrainingRanks& ranks, std::size_t logs);

  // All ranks' checkpoints must be of the same round: throws Failure where they are not.
  void resume() override;

 private:
  void begin() override;
  void round_is_over() override;
  Trial trial() override;
  // On every rank the same: a signal that any of them got.
  int signal_of_any(int own) override;
  bool talks() const override { return ranks_.is_first(); }

  TrainingRanks& ranks_;
  std::size_t logs_;
};

// Each rank tries out other things.
TrainingSettings settings_of_rank(TrainingSettings settings, int rank);

}  // namespace hyades::learned
