// A training from where it is to its end, with what it leaves behind on the way: checkpoints, and
// a table of its trials on stderr.
#pragma once

#include <functional>

#include "policy/learned/train_options.hpp"

namespace hyades::learned {

class TrainingCourse {
 public:
  // `run` and `options` must outlive this. `seconds`: since the command began, for the table.
  TrainingCourse(TrainingRun& run, const TrainOptions& options, TrainingFacts facts,
                 std::function<double()> seconds);
  virtual ~TrainingCourse() = default;
  TrainingCourse(const TrainingCourse&) = delete;
  TrainingCourse& operator=(const TrainingCourse&) = delete;

  // From where the checkpoint ended. Throws Failure (exit code 2) where it is of another training,
  // and jobscripts::FileError where it is none.
  virtual void resume();
  // All rounds that are left, and the checkpoints. Throws Failure with the shell's code for the
  // signal (130, 143, 138) when it was asked to stop: after the round, with the checkpoint written.
  void run();
  // Of the training, with those of the processes that wrote the checkpoint.
  double seconds() const { return before_ + seconds_(); }

 protected:
  // What other ranks have to do with it; alone, nothing.
  virtual void begin() {}
  virtual void round_is_over() {}
  virtual Trial trial() { return run_.trial(); }
  virtual int signal_of_any(int own) { return own; }
  virtual bool talks() const { return true; }

  TrainingRun& run_;
  const TrainOptions& options_;

 private:
  void keep_older_checkpoint() const;
  void save() const;
  [[noreturn]] void stop(int signal) const;

  TrainingFacts facts_;
  std::function<double()> seconds_;
  double before_ = 0;
};

}  // namespace hyades::learned
