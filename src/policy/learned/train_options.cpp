#include "policy/learned/train_options.hpp"

#include <charconv>
#include <cstdio>

#include "cli/failure.hpp"
#include "hsim/replay_options.hpp"
#include "policy/learned/training_ranks.hpp"

namespace hyades::learned {
namespace {

constexpr const char* kNotes =
    "Each LOG (Standard Workload Format, plain or .gz) gives windows of consecutive jobs: those of "
    "its\nfirst three quarters are learned from, of the rest one half is for trying what was "
    "learned, "
    "the\nother for choosing at last. Beside logs, or without any, workloads are generated. Where "
    "the "
    "last\nhalf does not show beyond doubt that the model is better than its fallback, which is to "
    "look\nahead (index with a reserve of 5 %, if --choices leaves that out), the model keeps to "
    "that.\n"
    "\nExamples\n"
    "  htrain --out policy.safetensors                  from generated workloads alone\n"
    "  htrain logs/*.swf.gz --out policy.safetensors --rounds 100 --seed 2\n"
    "  htrain logs/*.swf.gz --out policy.safetensors --rounds 100 --seed 2 --resume\n"
    "  htrain search --help                             trying learning rates and their kin\n"
    "\nExit codes\n"
    "  0  done      1  a log cannot be used, or the model cannot be written      2  wrong "
    "options\n"
    "  130, 143, 138  stopped by Ctrl-C, SIGTERM or SIGUSR1; the checkpoint is written\n";

constexpr int kRounds = 40;

int held_out_percent(const Command& command) { return whole_number(command, "hold-out", 0, 0, 90); }

double percent(const Command& command, const char* option, int missing, int most) {
  return whole_number(command, option, missing, 0, most) / 100.0;
}

Choosing choosing_of(const Command& command) {
  const std::string how = command.has("choose") ? command.value_of("choose") : "sure";
  if (how == "mean") return Choosing::Mean;
  if (how == "sure") return Choosing::Sure;
  if (how == "elsewhere") return Choosing::Elsewhere;
  command.usage_error("--choose=" + how + ": use sure, elsewhere or mean");
}

TrainingSettings settings_of(const Command& command) {
  TrainingSettings settings;
  settings.episodes = whole_number(command, "episodes", settings.episodes, 1, 10'000);
  settings.updates = whole_number(command, "updates", settings.updates, 0, 1'000'000);
  settings.seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  settings.priority = percent(command, "priority", 60, 100);
  settings.exploration = percent(command, "exploration", 100, 1'000);
  LearnerSettings& learner = settings.learner;
  learner.value_rate = decimal_number(command, "learning-rate", learner.value_rate, 1e-8, 1);
  learner.numbers_rate =
      decimal_number(command, "numbers-learning-rate", learner.numbers_rate, 0, 1);
  learner.batch = static_cast<std::size_t>(
      whole_number(command, "batch", static_cast<int>(learner.batch), 1, 100'000));
  if (command.has("encoder") && !parse_encoder(command.value_of("encoder"), settings.encoder)) {
    command.usage_error("--encoder=" + command.value_of("encoder") + ": use mlp or cnn-lstm");
  }
  if (command.has("choices")) {
    const std::optional<GlobalChoices> choices = choices_from(command.value_of("choices"));
    if (!choices) {
      command.usage_error("--choices=" + command.value_of("choices") + ": use some of " +
                          choices_text(every_choice()));
    }
    settings.choices = *choices;
  }
  return settings;
}

void take_federation(const Command& command, TrainOptions& options) {
  options.average_every = whole_number(command, "average-every", 5, 1, 1'000'000);
  options.federated = command.has("federated");
  if (!options.federated && command.has("average-every")) {
    command.usage_error("--average-every is for --federated");
  }
  if (!options.federated) return;
  options.rank = rank_by_mpirun();
  options.ranks = ranks_by_mpirun();
  if (options.ranks < 2) {
    command.usage_error("--federated: start it with mpirun -n N, a rank for each site's logs");
  }
  const int logs = static_cast<int>(command.words().size()) + options.generated;
  if (logs < options.ranks) {
    command.usage_error("--federated: " + std::to_string(options.ranks) + " ranks and " +
                        std::to_string(logs) + " logs: every rank needs one of its own");
  }
  options.checkpoint += ".rank-" + std::to_string(options.rank);
}

// The shortest text that means this number and no other.
std::string exact(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

}  // namespace

double decimal_number(const Command& command, const char* option, double missing, double least,
                      double most) {
  if (!command.has(option)) return missing;
  const std::string text = command.value_of(option);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_within = value >= least && value <= most;  // not so of what is no number
  if (error != std::errc() || end != text.data() + text.size() || !is_within) {
    command.usage_error("--" + std::string(option) + "=" + text + ": not a number from " +
                        exact(least) + " to " + exact(most));
  }
  return value;
}

void add_training_options(Command& command, int rounds) {
  command.value("rounds", "N",
                ("of episodes and learning (" + std::to_string(rounds) + ")").c_str());
  command.value("episodes", "N", "a round (12)");
  command.value("updates", "N", "steps of learning a round (300)");
  command.value("windows", "N", "of each log for learning, and of its end for choosing (16)");
  command.value("length", "L", "jobs of each window (1024)");
  command.value("hold-out", "PERCENT", "at the end of each log, not looked at (0)");
  command.value("generated", "N", "workloads that are made (2; 8 without a log)");
  command.value("encoder", "E", "mlp (default) or cnn-lstm");
  command.value(
      "choices", "C,...",
      ("that it has beside index: " + choices_text(every_choice().reset(0)) + " (all)").c_str());
  command.value("run-times", "R",
                "request, last2 (default), gbdt: what orders go by while it learns");
  command.value("seed", "S", "(1)");
  command.value("threads", "N", "(2; under mpirun 1 of each rank)");
}

void add_hyper_parameters(Command& command) {
  command.value("steps", "N", "epochs of half an hour until an estimate takes over (24)");
  command.value("discount", "PERCENT", "what an epoch later counts (95)");
  command.value("learning-rate", "R", "of what rules are worth (0.0003)");
  command.value("numbers-learning-rate", "R", "of rules' numbers; 0: they stay (0.0001)");
  command.value("batch", "N", "experiences of a step of learning (96)");
  command.value("priority", "PERCENT", "exponent of prioritised replay; 0: all alike (60)");
  command.value("exploration", "PERCENT", "of the usual chance and noise of actors (100)");
}

TrainOptions training_options(const Command& command, int rounds, int threads) {
  TrainOptions options;
  options.training = settings_of(command);
  options.training.rounds = whole_number(command, "rounds", rounds, 1, 1'000'000);
  options.replay.threads = whole_number(command, "threads", threads, 1, 1024);
  options.training.law.steps = whole_number(command, "steps", options.training.law.steps, 1, 1'000);
  options.training.law.discount = percent(command, "discount", 95, 100);
  if (command.has("run-times")) {
    options.replay.run_times = run_times_named(command, command.value_of("run-times"));
  }
  options.windows.count = static_cast<std::size_t>(whole_number(command, "windows", 16, 1, 1000));
  options.windows.length = static_cast<std::size_t>(whole_number(command, "length", 1024, 16));
  options.windows.held_out = held_out_percent(command) / 100.0;
  options.generated = whole_number(command, "generated", command.words().empty() ? 8 : 2, 0, 1000);
  if (command.words().empty() && options.generated == 0) {
    command.usage_error("name a log, or --generated N");
  }
  return options;
}

Command train_command() {
  Command command("htrain", "htrain [LOG...] --out FILE [OPTION...]",
                  "Learn a global policy: which order a queue has when, and how much is kept back "
                  "for jobs to come.",
                  kNotes);
  command.value("out", "FILE", "the model, in the safetensors layout");
  add_training_options(command, kRounds);
  add_hyper_parameters(command);
  command.value(
      "choose", "HOW",
      "sure (default): better than its fallback beyond doubt, or that; elsewhere: also on "
      "other logs like these; mean: better on the mean, which looks good and is not");
  command.value("checkpoint", "FILE", "the state of the training (what --out says, .checkpoint)");
  command.value("checkpoint-every", "N", "rounds, and at the end; 0: never (10)");
  command.flag("resume", "go on from the checkpoint");
  command.flag("federated",
               "under mpirun: each rank learns from logs of its own, and only weights travel");
  command.value("average-every", "N", "rounds, of weights, with --federated (5)");
  command.value("curves", "FILE.svg", "a picture of the trials over the rounds");
  return command;
}

TrainOptions train_options(const Command& command, int threads) {
  TrainOptions options = training_options(command, kRounds, threads);
  options.out = command.value_of("out");
  if (options.out.empty()) command.usage_error("--out FILE is missing");
  options.choosing = choosing_of(command);
  options.json = command.json();
  options.checkpoint =
      command.has("checkpoint") ? command.value_of("checkpoint") : options.out + ".checkpoint";
  options.checkpoint_every = whole_number(command, "checkpoint-every", 10, 0, 1'000'000);
  options.resume = command.has("resume");
  take_federation(command, options);
  options.curves = command.value_of("curves");
  if (command.has("curves") && options.curves.empty()) {
    command.usage_error("--curves: names no file");
  }
  if (options.checkpoint.empty()) command.usage_error("--checkpoint: names no file");
  return options;
}

TrainingWindows read_windows(const Command& command, const TrainOptions& options, bool quiet) {
  Prng random(options.training.seed);
  TrainingWindows windows;
  const auto is_own = [&](int i) { return i % options.ranks == options.rank; };
  int number = 0;
  for (const std::string& path : command.words()) {
    if (!is_own(number++)) continue;
    add_windows(quiet ? read_swf(path).workload : read_log(command, path), options.windows, random,
                windows);
  }
  for (int i = 0; i < options.generated; ++i) {
    if (!is_own(number++)) continue;
    add_windows(generated_workload(i, options.training.seed), plan_of_generated(options.windows),
                random, windows);
  }
  if (windows.learn_from.empty()) throw Failure("the logs have no jobs to learn from");
  return windows;
}

std::string variant_text(const TrainOptions& options) {
  const TrainingSettings& training = options.training;
  const TrainingSettings usual;
  std::vector<std::string> parts;
  if (training.encoder != usual.encoder) parts.push_back("CNN and LSTM");
  if (training.choices.count() == 1) {
    parts.push_back("numbers alone");
  } else if (training.choices != usual.choices) {
    parts.push_back("only " + choices_text(training.choices));
  }
  if (training.learner.numbers_rate == 0) parts.push_back("choices alone");
  if (training.priority == 0) parts.push_back("memory drawn evenly");
  if (options.replay.run_times == RunTimes::Request) parts.push_back("no predicted run times");
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

TrainingFacts training_facts(const TrainOptions& options, const TrainingWindows& windows) {
  const TrainingSettings& training = options.training;
  TrainingFacts facts{{"--seed", std::to_string(training.seed)},
                      {"--episodes", std::to_string(training.episodes)},
                      {"--updates", std::to_string(training.updates)},
                      {"--windows", std::to_string(options.windows.count)},
                      {"--length", std::to_string(options.windows.length)},
                      {"--hold-out", exact(options.windows.held_out * 100)},
                      {"--encoder", std::string(to_string(training.encoder))},
                      {"--choices", choices_text(training.choices)},
                      {"--run-times", std::string(to_string(options.replay.run_times))},
                      {"--steps", std::to_string(options.training.law.steps)},
                      {"--discount", exact(options.training.law.discount * 100)},
                      {"--learning-rate", exact(training.learner.value_rate)},
                      {"--numbers-learning-rate", exact(training.learner.numbers_rate)},
                      {"--batch", std::to_string(training.learner.batch)},
                      {"--priority", exact(training.priority * 100)},
                      {"--exploration", exact(training.exploration * 100)},
                      {"version of Hyades", hyades_version()}};
  if (options.federated) {
    facts["rank"] = std::to_string(options.rank) + " of " + std::to_string(options.ranks);
    facts["--average-every"] = std::to_string(options.average_every);
  }
  for (const TrainingLog& log : windows.logs) facts["log " + log.name] = log.digest;
  return facts;
}

}  // namespace hyades::learned
