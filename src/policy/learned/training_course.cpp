#include "policy/learned/training_course.hpp"

#include <cstdio>
#include <filesystem>

#include "cli/failure.hpp"
#include "cli/quantity.hpp"
#include "policy/learned/stop_signals.hpp"
#include "policy/learned/training_checkpoint.hpp"

namespace hyades::learned {
namespace {

void print_trial_head() {
  std::fprintf(stderr, "%8s %12s %8s %8s %8s %8s\n", "round", "experiences", "error", "margin",
               "ratio", "seconds");
}

void print_trial(const Trial& trial, double seconds) {
  const std::string margin =
      trial.margin >= never_departs ? "never" : printed("%.3f", trial.margin);
  std::fprintf(stderr, "%8d %12zu %8.4f %8s %8.4f %8.0f\n", static_cast<int>(trial.round),
               trial.experiences, trial.error, margin.c_str(), trial.ratio, seconds);
}

}  // namespace

TrainingCourse::TrainingCourse(TrainingRun& run, const TrainOptions& options, TrainingFacts facts,
                               std::function<double()> seconds)
    : run_(run), options_(options), facts_(std::move(facts)), seconds_(std::move(seconds)) {}

void TrainingCourse::resume() {
  const std::string& path = options_.checkpoint;
  const TrainingCheckpoint checkpoint = load_checkpoint(path);
  if (const std::string differs = difference(checkpoint.facts, facts_); !differs.empty()) {
    throw Failure(path + " is of another training: " + differs +
                      ". Give the same logs and options, or begin anew without --resume",
                  kExitUsage);
  }
  try {
    run_.restore(checkpoint.state);
  } catch (const std::invalid_argument& wrong) {
    throw Failure(path + ": " + wrong.what() + ". Begin anew without --resume");
  }
  if (run_.round() > options_.training.rounds) {
    throw Failure(path + " has " + std::to_string(run_.round()) +
                      " rounds behind it, more than --rounds " +
                      std::to_string(options_.training.rounds),
                  kExitUsage);
  }
  before_ = checkpoint.seconds;
  if (!talks()) return;
  std::fprintf(stderr, "going on after round %d, as %s has it\n", run_.round(), path.c_str());
}

// Whoever forgets --resume keeps hours of work all the same.
void TrainingCourse::keep_older_checkpoint() const {
  const std::string& path = options_.checkpoint;
  if (options_.resume || options_.checkpoint_every == 0 || !std::filesystem::exists(path)) return;
  const std::string kept = path + ".before";
  std::filesystem::rename(path, kept);
  if (talks())
    std::fprintf(stderr, "%s is %s now: without --resume this begins anew\n", path.c_str(),
                 kept.c_str());
}

void TrainingCourse::run() {
  keep_older_checkpoint();
  const StopSignals signals;
  begin();
  if (talks()) print_trial_head();
  while (!run_.finished()) {
    run_.advance();
    round_is_over();
    if (run_.trial_is_due()) {
      run_.note(trial());
      if (talks()) print_trial(run_.trials().back(), seconds());
    }
    const int every = options_.checkpoint_every;
    const int signal = signal_of_any(signals.asked());
    if (every > 0 && (run_.round() % every == 0 || run_.finished() || signal != 0)) save();
    if (signal != 0) stop(signal);
  }
}

void TrainingCourse::save() const {
  save_checkpoint(options_.checkpoint, {facts_, seconds(), run_.bytes()});
}

void TrainingCourse::stop(int signal) const {
  if (!talks()) throw Failure("", 128 + signal);
  const std::string after = "stopped after round " + std::to_string(run_.round());
  throw Failure(options_.checkpoint_every > 0
                    ? after + "; the same command with --resume goes on from " + options_.checkpoint
                    : after + "; nothing is kept (--checkpoint-every 0)",
                128 + signal);
}

}  // namespace hyades::learned
