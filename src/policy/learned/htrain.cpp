// htrain: learns a global policy from replays.
#include <chrono>
#include <cstdio>
#include <iostream>

#include "cli/failure.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/windows.hpp"
#include "policy/learned/policy_file.hpp"
#include "policy/learned/training_run.hpp"
#include "trace/workload_model.hpp"

namespace hyades {
namespace {

using namespace learned;

constexpr const char* kNotes =
    "Each LOG (Standard Workload Format, plain or .gz) gives windows of consecutive jobs: those of "
    "its\nfirst three quarters are learned from, of the rest one half is for trying what was "
    "learned, "
    "the\nother for choosing at last. Beside logs, or without any, workloads are generated. Where "
    "the "
    "last\nhalf does not show beyond doubt that the model is better than the hand-set policy, the "
    "model\nkeeps to that.\n"
    "\nExamples\n"
    "  htrain --out policy.safetensors                  from generated workloads alone\n"
    "  htrain logs/*.swf.gz --out policy.safetensors --rounds 100 --seed 2\n"
    "\nExit codes\n"
    "  0  done      1  a log cannot be used, or the model cannot be written      2  wrong "
    "options\n";

// Jobs before a window that run times are learned from: fewer than the master takes, because it
// is done anew for every episode.
constexpr std::size_t kEarlierMost = 6'000;

struct Windows {
  std::vector<TrainingWindow> learn_from;
  std::vector<TrainingWindow> try_on;     // while it learns
  std::vector<TrainingWindow> choose_by;  // at last
  std::vector<std::string> logs;
};

// Of the first part of the log windows to learn from, each also at another pace; of the rest, but
// for what is held out, windows to try policies on and, between them, windows to choose by.
void add_windows(const Workload& log, std::size_t count, std::size_t length, double held_out,
                 Prng& random, Windows& out) {
  out.logs.push_back(log.name);
  const auto known =
      static_cast<std::size_t>(static_cast<double>(log.jobs.size()) * (1 - held_out));
  const std::size_t to_learn = known * 3 / 4;
  const auto window_at = [&](std::size_t first, std::size_t jobs) {
    TrainingWindow window{log.name, cut(log, {first, jobs}), {}, {}, 1};
    const auto begin = log.jobs.begin() + static_cast<std::ptrdiff_t>(first);
    window.earlier.assign(begin - static_cast<std::ptrdiff_t>(std::min(first, kEarlierMost)),
                          begin);
    return window;
  };
  for (const Window& each : evenly_spaced_windows(to_learn, count, length)) {
    out.learn_from.push_back(window_at(each.first, each.count));
    TrainingWindow paced = window_at(each.first, each.count);
    const double factor = 0.8 + 0.4 * unit_number(random);
    paced.workload = with_pace(std::move(paced.workload), factor);
    out.learn_from.push_back(std::move(paced));
  }
  bool to_choose = false;
  for (const Window& each : evenly_spaced_windows(known - to_learn, count, length)) {
    (to_choose ? out.choose_by : out.try_on)
        .push_back(window_at(to_learn + each.first, each.count));
    to_choose = !to_choose;
  }
}

Workload generated(int number, std::uint64_t seed) {
  Prng random(seed * 1000 + static_cast<std::uint64_t>(number));
  WorkloadModel model;
  model.procs = 64 << random.below(4);
  model.jobs = 6'000;
  model.load = 0.65 + 0.3 * unit_number(random);
  model.bursts = 0.3 * unit_number(random);
  model.users = static_cast<int>(random.between(20, 120));
  model.over_estimates = true;
  model.seed = random.next();
  Workload workload = generate_workload(model);
  workload.name = "generated-" + std::to_string(number);
  return workload;
}

int held_out_percent(const Command& command) { return whole_number(command, "hold-out", 0, 0, 90); }

Windows windows_of(const Command& command, std::uint64_t seed) {
  Prng random(seed);
  const auto count = static_cast<std::size_t>(whole_number(command, "windows", 16, 1, 1000));
  const auto length = static_cast<std::size_t>(whole_number(command, "length", 1024, 16));
  const int made = whole_number(command, "generated", command.words().empty() ? 8 : 2, 0, 1000);
  const double held_out = held_out_percent(command) / 100.0;
  Windows windows;
  for (const std::string& path : command.words()) {
    add_windows(read_log(command, path), count, length, held_out, random, windows);
  }
  for (int i = 0; i < made; ++i) {
    add_windows(generated(i, seed), std::max<std::size_t>(count / 4, 2), length, 0, random,
                windows);
  }
  if (windows.learn_from.empty()) command.usage_error("name a log, or --generated N");
  return windows;
}

Command train_command() {
  Command command("htrain", "htrain [LOG...] --out FILE [OPTION...]",
                  "Learn a global policy: which order a queue has when, and how much is kept back "
                  "for jobs to come.",
                  kNotes);
  command.value("out", "FILE", "the model, in the safetensors layout");
  command.value("rounds", "N", "of episodes and learning (40)");
  command.value("episodes", "N", "a round (12)");
  command.value("updates", "N", "steps of learning a round (300)");
  command.value("windows", "N", "of each log for learning, and of its end for choosing (16)");
  command.value("length", "L", "jobs of each window (1024)");
  command.value("hold-out", "PERCENT", "at the end of each log, not looked at (0)");
  command.value("generated", "N", "workloads that are made (2; 8 without a log)");
  command.value("encoder", "E", "mlp (default) or cnn-lstm");
  command.value("run-times", "R",
                "request, last2 (default), gbdt: what orders go by while it learns");
  command.value("steps", "N", "epochs of half an hour until an estimate takes over (24)");
  command.value("discount", "PERCENT", "what an epoch later counts (95)");
  command.value(
      "choose", "HOW",
      "sure (default): better than the hand-set policy beyond doubt, or that; mean: better "
      "on the mean, which looks good and is not");
  command.value("seed", "S", "(1)");
  command.value("threads", "N", "(2)");
  return command;
}

TrainingSettings settings_of(const Command& command) {
  TrainingSettings settings;
  settings.rounds = whole_number(command, "rounds", settings.rounds, 1, 1'000'000);
  settings.episodes = whole_number(command, "episodes", settings.episodes, 1, 10'000);
  settings.updates = whole_number(command, "updates", settings.updates, 0, 1'000'000);
  settings.threads = whole_number(command, "threads", settings.threads, 1, 1024);
  settings.seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  settings.law.steps = whole_number(command, "steps", settings.law.steps, 1, 1'000);
  settings.law.discount = whole_number(command, "discount", 95, 0, 100) / 100.0;
  if (command.has("encoder") && !parse_encoder(command.value_of("encoder"), settings.encoder)) {
    command.usage_error("--encoder=" + command.value_of("encoder") + ": use mlp or cnn-lstm");
  }
  if (command.has("run-times")) {
    settings.run_times = run_times_named(command, command.value_of("run-times"));
  }
  return settings;
}

bool chooses_by_mean(const Command& command) {
  const std::string how = command.has("choose") ? command.value_of("choose") : "sure";
  if (how != "mean" && how != "sure") {
    command.usage_error("--choose=" + how + ": use sure or mean");
  }
  return how == "mean";
}

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begun_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begun_ = Clock::now();
};

// With what it does on stderr; the network is the best of its trials.
void learn(TrainingRun& run, const Stopwatch& watch) {
  std::fprintf(stderr, "%8s %12s %8s %8s %8s %8s\n", "round", "experiences", "error", "margin",
               "ratio", "seconds");
  run.run([&](const Trial& trial) {
    std::fprintf(stderr, "%8d %12zu %8.4f %8.3f %8.4f %8.0f\n", trial.round, trial.experiences,
                 trial.error, trial.margin, trial.ratio, watch.seconds());
  });
}

}  // namespace

int htrain(int argc, char** argv) {
  Command command = train_command();
  command.parse(argc, argv, Command::Asks::Nobody);
  if (!command.has("out")) command.usage_error("--out FILE is missing");
  check_outputs(command, {command.value_of("out")}, command.words());
  const TrainingSettings settings = settings_of(command);
  const bool by_mean = chooses_by_mean(command);
  const Stopwatch watch;
  Windows windows = windows_of(command, settings.seed);
  ModelShelf shelf(4096);
  const auto replay_all = [&](std::vector<TrainingWindow>& set, RunTimes run_times) {
    in_parallel(set.size(), settings.threads,
                [&](std::size_t i) { replay_hand_set(set[i], run_times, shelf); });
  };
  replay_all(windows.learn_from, settings.run_times);
  replay_all(windows.try_on, settings.run_times);
  std::fprintf(stderr, "%zu windows to learn from, %zu to try on, %zu to choose by, %.0f s\n",
               windows.learn_from.size(), windows.try_on.size(), windows.choose_by.size(),
               watch.seconds());
  TrainingRun run(windows.learn_from, windows.try_on, settings, shelf);
  learn(run, watch);
  std::fprintf(stderr, "choosing the margin by the run times that the master goes by\n");
  replay_all(windows.choose_by, RunTimes::Learned);
  const Trial chosen = (by_mean ? best_margin : sure_margin)(
      run.network(), windows.choose_by, RunTimes::Learned, settings.threads, shelf);
  std::string logs;
  for (const std::string& log : windows.logs) logs += (logs.empty() ? "" : " ") + log;
  const std::string digest =
      save_policy(command.value_of("out"), run.network(), chosen.margin,
                  {{"logs", logs},
                   {"seed", std::to_string(settings.seed)},
                   {"rounds", std::to_string(settings.rounds)},
                   {"round", std::to_string(run.best().round)},
                   {"ratio", std::to_string(chosen.ratio)},
                   {"high", std::to_string(chosen.high)},
                   {"chosen", by_mean ? "by the mean" : "beyond doubt"},
                   {"held_out", std::to_string(held_out_percent(command))},
                   {"seconds", std::to_string(static_cast<int>(watch.seconds()))},
                   {"hyades", hyades_version()}});
  std::printf("%s: sha256 %s, margin %g, ratio %.4f on windows to choose by, %.0f s\n",
              command.value_of("out").c_str(), digest.c_str(), chosen.margin, chosen.ratio,
              watch.seconds());
  return kExitGood;
}

}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("htrain", [&] { return hyades::htrain(argc, argv); });
}
