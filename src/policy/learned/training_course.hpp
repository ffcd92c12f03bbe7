// A training from where it is to its end, with what it leaves behind on the way: checkpoints, and
// a table of its trials on stderr.
#pragma once

#include "policy/learned/train_options.hpp"

namespace hyades::learned {

class TrainingCourse {
 public:
  // `run` must outlive this. `seconds`: since the command began, for the table.
  TrainingCourse(TrainingRun& run, const TrainOptions& options, TrainingFacts facts,
                 std::function<double()> seconds);

  // Where the checkpoint ended. Throws Failure (exit code 2) where it is of another training, and
  // jobscripts::FileError where it is none.
  void resume();
  // All rounds that are left, and the checkpoints. Throws Failure with the shell's code for the
  // signal (130, 143) when it was asked to stop: after the round, with the checkpoint written.
  void run();
  // Of the training, with that of the process that wrote the checkpoint.
  double seconds() const { return before_ + seconds_(); }

 private:
  void save() const;
  [[noreturn]] void stop(int signal) const;

  TrainingRun& run_;
  const TrainOptions& options_;
  TrainingFacts facts_;
  std::function<double()> seconds_;
  double before_ = 0;
};

void print_trial_head();
void print_trial(const Trial& trial, double seconds);

}  // namespace hyades::learned
