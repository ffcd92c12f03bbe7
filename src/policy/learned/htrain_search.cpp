#include "policy/learned/htrain_search.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>

#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_options.hpp"
#include "policy/learned/search_ledger.hpp"
#include "policy/learned/search_report.hpp"
#include "policy/learned/training_ranks.hpp"

namespace hyades {
namespace {

using namespace learned;

constexpr int kRounds = 10;
constexpr int kMostBudget = 10'000;
constexpr double kNoScore = std::numeric_limits<double>::max();

constexpr const char* kNotes =
    "Each set of parameters is a short training from the same seed; its score is the slowdown over "
    "that\nof the model's fallback on windows that it did not learn from. Genetic search and "
    "random "
    "search\nhave the same number of trainings. Every training that is done is kept in FILE: the "
    "same command\ngoes on where it was. The best parameters are printed as options of htrain.\n"
    "\nExamples\n"
    "  htrain search logs/*.swf.gz --out search.tsv --report search.md --budget 40\n"
    "\nExit codes\n"
    "  0  done      1  a log or a file cannot be used      2  wrong options\n";

Command search_command() {
  Command command("htrain search", "htrain search [LOG...] --out FILE [OPTION...]",
                  "Look for better learning rates and their kin.", kNotes);
  command.value("out", "FILE", "the trainings, a line each");
  command.value("budget", "N", "trainings of each search (24)");
  command.value("population", "N", "of genetic search (8)");
  command.value("report", "FILE.md", "a page, and a picture beside it");
  add_training_options(command, kRounds);
  return command;
}

SearchSettings search_settings(const Command& command, std::uint64_t seed) {
  SearchSettings settings;
  settings.budget = whole_number(command, "budget", settings.budget, 1, kMostBudget);
  settings.population = whole_number(command, "population", settings.population, 2, 1'000);
  settings.seed = seed;
  return settings;
}

// The page's name with another ending.
std::string picture_of(const std::string& report) {
  return report.empty() ? "" : std::filesystem::path(report).replace_extension(".svg").string();
}

// Short trainings on the same windows, one after the other.
class Trainer {
 public:
  Trainer(const TrainOptions& options, ReplayPool& pool) : options_(options), pool_(pool) {}

  std::unique_ptr<TrainingRun> run(const Genome& genome) {
    auto run = std::make_unique<TrainingRun>(with_genome(options_.training, genome), pool_);
    run->run({});
    return run;
  }
  // The least ratio of any trial under any margin; of no good training it is above 1.
  static double score(const TrainingRun& run) {
    double least = kNoScore;
    for (const Trial& trial : run.trials()) {
      for (const Interval& ratio : trial.of_margins) least = std::min(least, ratio.value);
    }
    return least;
  }

 private:
  const TrainOptions& options_;
  ReplayPool& pool_;
};

// The score of a genome: from the ledger, or of a training, which is then in the ledger.
class Scores {
 public:
  Scores(SearchLedger& ledger, Trainer& trainer, int budget)
      : ledger_(ledger), trainer_(trainer), budget_(budget) {}

  std::vector<TriedGenome> of(const char* name, const SearchSettings& settings,
                              std::vector<TriedGenome> (*search)(const SearchSettings&,
                                                                 const GenomeScore&)) {
    int number = 0;
    double best = kNoScore;
    return search(settings, [&](const Genome& genome) {
      const double score = of(genome);
      best = std::min(best, score);
      std::fprintf(stderr, "%-8s %4d of %d %9.4f %9.4f  %s\n", name, ++number, budget_, score, best,
                   options_text(genome).c_str());
      return score;
    });
  }
  double of(const Genome& genome) {
    if (const auto known = ledger_.score(genome)) return *known;
    const double score = Trainer::score(*trainer_.run(genome));
    ledger_.add(genome, score);
    return score;
  }

 private:
  SearchLedger& ledger_;
  Trainer& trainer_;
  int budget_;
};

// Trained once more, which gives the same network, and tried where no search has looked. One that
// was no better than its fallback keeps to that.
SearchedModel tried_elsewhere(const std::string& name, const Genome& genome, Trainer& trainer,
                              ReplayPool& pool) {
  const std::unique_ptr<TrainingRun> run = trainer.run(genome);
  SearchedModel model{name, genome, Trainer::score(*run), {1, 1, 1}};
  if (run->best().ratio >= 1) return model;
  const MarginRatios ratios = ratios_of(run->best_network(), WindowSet::ChooseBy, pool);
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    if (tried_margins[i] == run->best().margin) model.chosen = ratios[i];
  }
  return model;
}

std::string how_text(const TrainOptions& options) {
  const TrainingSettings& training = options.training;
  return std::to_string(training.rounds) + " rounds of " + std::to_string(training.episodes) +
         " episodes and " + std::to_string(training.updates) + " updates on " +
         std::to_string(options.windows.count) + " windows of " +
         std::to_string(options.windows.length) + " jobs of each log";
}

TrainingFacts search_facts(const TrainOptions& options, const TrainingWindows& windows) {
  TrainingFacts facts = training_facts(options, windows);
  for (const HyperParameter& parameter : hyper_parameters()) facts.erase(parameter.option);
  facts["--rounds"] = std::to_string(options.training.rounds);
  return facts;
}

void search(const TrainOptions& options, ReplayPool& pool, SearchLedger& ledger, SearchPage& page) {
  Trainer trainer(options, pool);
  Scores scores(ledger, trainer, page.settings.budget);
  page.genetic = scores.of("genetic", page.settings, genetic_search);
  page.random = scores.of("random", page.settings, random_search);
  page.models = {tried_elsewhere("genetic", best_of(page.genetic).genome, trainer, pool),
                 tried_elsewhere("random", best_of(page.random).genome, trainer, pool),
                 tried_elsewhere("htrain's own", usual_genome(), trainer, pool)};
}

Json best_json(const SearchPage& page) {
  Json models = Json::array();
  for (const SearchedModel& model : page.models) {
    models.push_back({{"by", model.name},
                      {"score", model.score},
                      {"ratio", model.chosen.value},
                      {"low", model.chosen.low},
                      {"high", model.chosen.high},
                      {"options", options_text(model.genome)}});
  }
  return {{"models", models}, {"verdict", search_verdict(page)}};
}

void print_best(const SearchPage& page) {
  for (const SearchedModel& model : page.models) {
    std::printf("%-14s %.4f on windows to try on, %.4f [%.4f, %.4f] on others: %s\n",
                model.name.c_str(), model.score, model.chosen.value, model.chosen.low,
                model.chosen.high, options_text(model.genome).c_str());
  }
  std::printf("%s\n", search_verdict(page).c_str());
}

}  // namespace

int htrain_search(int argc, char** argv) {
  Command command = search_command();
  command.parse(argc, argv, Command::Asks::Nobody);
  const TrainOptions options = training_options(command, kRounds, 2);
  const std::string out = command.value_of("out"), report = command.value_of("report");
  if (ranks_by_mpirun() > 1) command.usage_error("a search is one process; it has --threads");
  if (out.empty()) command.usage_error("--out FILE is missing");
  if (command.has("report") && report.empty()) command.usage_error("--report: names no file");
  const SearchSettings settings = search_settings(command, options.training.seed);
  check_outputs(command, {out, report, picture_of(report)}, command.words());
  ReplayPool pool(read_windows(command, options), options.replay);
  SearchLedger ledger(out, search_facts(options, pool.windows()));
  if (ledger.size() > 0) {
    std::fprintf(stderr, "%zu trainings are in %s\n", ledger.size(), out.c_str());
  }
  for (const auto set : {WindowSet::LearnFrom, WindowSet::TryOn, WindowSet::ChooseBy}) {
    pool.replay_hand_set(set);
  }
  SearchPage page;
  page.settings = settings;
  search(options, pool, ledger, page);
  page.logs = log_names(pool.windows());
  page.how = how_text(options);
  page.host = std::string("Hyades ") + hyades_version() + ".";
  page.picture = std::filesystem::path(picture_of(report)).filename().string();
  if (command.json()) {
    std::cout << json_text(best_json(page));
  } else {
    print_best(page);
  }
  if (report.empty()) return kExitGood;
  write_text(report, search_markdown(page));
  write_text(picture_of(report), search_svg(page));
  return kExitGood;
}

}  // namespace hyades
