// htrain: learns a global policy from replays.
#include <cstdio>

#include "cli/failure.hpp"
#include "hsim/log_output.hpp"
#include "policy/learned/policy_file.hpp"
#include "policy/learned/training_course.hpp"
#include "policy/learned/training_curves.hpp"
#include "stopwatch.hpp"

namespace hyades {
namespace {

using namespace learned;
using jobscripts::Stopwatch;

void replay_windows(ReplayPool& pool, const Stopwatch& watch) {
  pool.replay_hand_set(WindowSet::LearnFrom);
  pool.replay_hand_set(WindowSet::TryOn);
  const TrainingWindows& windows = pool.windows();
  std::fprintf(stderr, "%zu windows to learn from, %zu to try on, %zu to choose by, %.0f s\n",
               windows.learn_from.size(), windows.try_on.size(), windows.choose_by.size(),
               watch.seconds());
}

// The margin, by windows that it was not tried on.
Trial choose(const PolicyNetwork& network, const TrainOptions& options, ReplayPool& pool) {
  std::fprintf(stderr, "choosing the margin by the run times that the master goes by\n");
  pool.replay_hand_set(WindowSet::ChooseBy);
  return (options.by_mean ? best_margin
                          : sure_margin)(ratios_of(network, WindowSet::ChooseBy, pool));
}

std::string log_names(const TrainingWindows& windows) {
  std::string names;
  for (const TrainingLog& log : windows.logs) names += (names.empty() ? "" : " ") + log.name;
  return names;
}

void write_model(const PolicyNetwork& network, const TrainOptions& options,
                 const TrainingWindows& windows, const Trial& best, const Trial& chosen,
                 double seconds) {
  const int held_out = static_cast<int>(options.windows.held_out * 100 + 0.5);
  const std::string digest =
      save_policy(options.out, network, chosen.margin,
                  {{"logs", log_names(windows)},
                   {"seed", std::to_string(options.training.seed)},
                   {"rounds", std::to_string(options.training.rounds)},
                   {"round", std::to_string(best.round)},
                   {"ratio", std::to_string(chosen.ratio)},
                   {"high", std::to_string(chosen.high)},
                   {"chosen", options.by_mean ? "by the mean" : "beyond doubt"},
                   {"held_out", std::to_string(held_out)},
                   {"seconds", std::to_string(static_cast<int>(seconds))},
                   {"hyades", hyades_version()}});
  std::printf("%s: sha256 %s, margin %g, ratio %.4f on windows to choose by, %.0f s\n",
              options.out.c_str(), digest.c_str(), chosen.margin, chosen.ratio, seconds);
}

int htrain(int argc, char** argv) {
  Command command = train_command();
  command.parse(argc, argv, Command::Asks::Nobody);
  const TrainOptions options = train_options(command, 2);
  check_outputs(command, {options.out, options.checkpoint, options.curves}, command.words());
  const Stopwatch watch;
  ReplayPool pool(read_windows(command, options), options.replay);
  TrainingRun run(options.training, pool);
  TrainingCourse course(run, options, training_facts(options, pool.windows()),
                        [&] { return watch.seconds(); });
  if (options.resume) course.resume();
  replay_windows(pool, watch);
  course.run();
  if (!options.curves.empty()) {
    write_text(options.curves, training_curves_svg(run.trials(), log_names(pool.windows())));
  }
  const PolicyNetwork network = run.best_network();
  const Trial chosen = choose(network, options, pool);
  write_model(network, options, pool.windows(), run.best(), chosen, course.seconds());
  return kExitGood;
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("htrain", [&] { return hyades::htrain(argc, argv); });
}
