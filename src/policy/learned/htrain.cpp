// htrain: learns a global policy from replays.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "cli/quantity.hpp"
#include "hsim/log_output.hpp"
#include "policy/learned/federated_course.hpp"
#include "policy/learned/htrain_search.hpp"
#include "policy/learned/policy_file.hpp"
#include "policy/learned/rank_pool.hpp"
#include "policy/learned/stop_signals.hpp"
#include "policy/learned/training_checkpoint.hpp"
#include "policy/learned/training_curves.hpp"
#include "stopwatch.hpp"

namespace hyades {
namespace {

using namespace learned;
using jobscripts::Stopwatch;

constexpr int kOfSignals = 128;

// What every rank of htrain has.
struct Training {
  const TrainOptions& options;
  ReplayPool& pool;
  TrainingRanks& ranks;
  const Stopwatch& watch;
};

void replay_windows(const Training& training) {
  training.pool.replay_hand_set(WindowSet::LearnFrom);
  training.pool.replay_hand_set(WindowSet::TryOn);
  if (!training.ranks.is_first()) return;
  const TrainingWindows& windows = training.pool.windows();
  std::fprintf(stderr, "%zu windows to learn from, %zu to try on, %zu to choose by, %.0f s\n",
               windows.learn_from.size(), windows.try_on.size(), windows.choose_by.size(),
               training.watch.seconds());
}

// The margin, by windows that it was not tried on.
Trial choose(const PolicyNetwork& network, const Training& training) {
  if (training.ranks.is_first()) {
    std::fprintf(stderr, "choosing the margin by the run times that the master goes by\n");
  }
  training.pool.replay_hand_set(WindowSet::ChooseBy);
  const Choosing choosing = training.options.choosing;
  MarginRatios ratios =
      ratios_of(network, WindowSet::ChooseBy, training.pool, choosing == Choosing::Elsewhere);
  if (training.options.federated) {
    ratios = ratios_of_ranks(training.ranks, ratios, training.pool.windows().logs.size());
  }
  return (choosing == Choosing::Mean ? best_margin : sure_margin)(ratios);
}

const char* how_chosen(Choosing choosing) {
  switch (choosing) {
    case Choosing::Mean:
      return "by the mean";
    case Choosing::Sure:
      return "beyond doubt";
    case Choosing::Elsewhere:
      return "beyond doubt, on other logs, too";
  }
  return "";
}

void write_model(const PolicyNetwork& network, const TrainOptions& options, const std::string& logs,
                 const Trial& best, const Trial& chosen, double seconds) {
  const int held_out = static_cast<int>(std::lround(options.windows.held_out * 100));
  std::map<std::string, std::string> facts{{"logs", logs},
                                           {"seed", std::to_string(options.training.seed)},
                                           {"rounds", std::to_string(options.training.rounds)},
                                           {"round", std::to_string(best.round)},
                                           {"ratio", std::to_string(chosen.ratio)},
                                           {"high", std::to_string(chosen.high)},
                                           {"chosen", how_chosen(options.choosing)},
                                           {"held_out", std::to_string(held_out)},
                                           {"variant", variant_text(options)},
                                           {"seconds", std::to_string(static_cast<int>(seconds))},
                                           {"hyades", hyades_version()}};
  if (options.federated) facts["federated"] = std::to_string(options.ranks) + " ranks";
  const std::string digest = save_policy(options.out, network, chosen.margin, facts);
  if (options.json) {
    std::cout << json_text({{"out", options.out},
                            {"sha256", digest},
                            {"never_departs", chosen.margin >= never_departs},
                            {"margin", chosen.margin},
                            {"ratio", chosen.ratio},
                            {"high", chosen.high},
                            {"seconds", seconds}});
    return;
  }
  const bool departs = chosen.margin < never_departs;
  std::printf(
      "%s: sha256 %s, %s, ratio %.4f on windows to choose by, %.0f s\n", options.out.c_str(),
      digest.c_str(),
      departs ? ("margin " + printed("%g", chosen.margin)).c_str() : "keeps to its fallback",
      chosen.ratio, seconds);
}

// From the windows to the model; `run` and `course` are of this rank's windows.
void train(const Training& training, TrainingRun& run, TrainingCourse& course) {
  const TrainOptions& options = training.options;
  if (options.resume) course.resume();
  replay_windows(training);
  course.run();
  std::string logs = log_names(training.pool.windows());
  if (options.federated) logs = texts_of_ranks(training.ranks, logs);
  if (training.ranks.is_first() && !options.curves.empty()) {
    write_text(options.curves, training_curves_svg(run.trials(), logs));
  }
  const PolicyNetwork network = run.best_network();
  const Trial chosen = choose(network, training);
  if (!training.ranks.is_first()) return;
  write_model(network, options, logs, run.best(), chosen, course.seconds());
}

// Every rank learns from its own logs.
void train_federated(const Training& training) {
  const TrainOptions& options = training.options;
  TrainingRun run(settings_of_rank(options.training, options.rank), training.pool);
  const TrainingWindows& windows = training.pool.windows();
  FederatedCourse course(
      run, options, training_facts(options, windows), [&] { return training.watch.seconds(); },
      training.ranks, windows.logs.size());
  try {
    train(training, run, course);
  } catch (const Failure& failure) {
    if (failure.exit_code > kOfSignals) training.ranks.leave();  // all of them have stopped
    throw;
  }
}

// This rank learns; the others, if there are any, play with it.
void train_here(const Training& training, const std::function<void()>& dismiss) {
  const TrainOptions& options = training.options;
  TrainingRun run(options.training, training.pool);
  TrainingCourse course(run, options, training_facts(options, training.pool.windows()),
                        [&] { return training.watch.seconds(); });
  try {
    train(training, run, course);
  } catch (const Failure& failure) {
    if (failure.exit_code > kOfSignals) dismiss();
    throw;
  }
  dismiss();
}

// Rank 0 says of what logs it is; whoever has others would spoil what is learned.
void must_be_of_one_training(TrainingRanks& ranks, const TrainingFacts& facts) {
  std::string bytes;
  put_facts(bytes, facts);
  const std::string of_first = ranks.from_first(bytes);
  TrainingFacts theirs;
  Taker from(of_first);
  const std::string differs =
      take_facts(from, theirs) ? difference(theirs, facts) : "its message is none of this htrain";
  if (differs.empty()) return;
  throw Failure("rank " + std::to_string(ranks.rank()) +
                " is not of rank 0's training: " + differs);
}

void train_shared(const Command& command, const TrainOptions& options, TrainingRanks& ranks,
                  const Stopwatch& watch) {
  RankPool pool(read_windows(command, options, !ranks.is_first()), options.replay,
                options.training.encoder, ranks);
  must_be_of_one_training(ranks, training_facts(options, pool.windows()));
  const Training training{options, pool, ranks, watch};
  const auto dismiss = [&] {
    pool.dismiss();
    ranks.leave();
  };
  if (ranks.is_first()) return train_here(training, dismiss);
  const StopSignals rank_0_decides;
  pool.serve();
  ranks.leave();
}

// What is wrong with the command line is wrong on every rank. Rank 0 says it, and mpirun ends those
// that wait for it; whoever ended before would take rank 0 along before it has said anything.
TrainOptions options_of(Command& command, int argc, char** argv) try {
  command.parse(argc, argv, Command::Asks::Nobody);
  return train_options(command, ranks_by_mpirun() > 1 ? 1 : 2);
} catch (const Failure& failure) {
  if (rank_by_mpirun() == 0) throw;
  if (failure.exit_code != kExitGood) join_training_ranks()->from_first("");
  throw Failure("", failure.exit_code);
}

// Only rank 0 writes the model.
void check_files(const Command& command, const TrainOptions& options) {
  if (rank_by_mpirun() == 0) {
    check_outputs(command, {options.out, options.checkpoint, options.curves}, command.words());
  } else if (options.federated) {
    check_outputs(command, {options.checkpoint}, command.words());
  }
}

int htrain(int argc, char** argv) {
  Command command = train_command();
  const TrainOptions options = options_of(command, argc, argv);
  check_files(command, options);
  const Stopwatch watch;
  const std::unique_ptr<TrainingRanks> ranks = join_training_ranks();
  if (ranks->size() > 1 && !options.federated) {
    train_shared(command, options, *ranks, watch);
    return kExitGood;
  }
  ReplayPool pool(read_windows(command, options), options.replay);
  const Training training{options, pool, *ranks, watch};
  if (!options.federated) {
    train_here(training, [] {});
    return kExitGood;
  }
  train_federated(training);
  ranks->leave();
  return kExitGood;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  const bool searches = argc > 1 && std::strcmp(argv[1], "search") == 0;
  return hyades::run_command(searches ? "htrain search" : "htrain", [&] {
    return searches ? hyades::htrain_search(argc - 1, argv + 1) : hyades::htrain(argc, argv);
  });
}
