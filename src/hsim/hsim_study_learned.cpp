// hsim study learned: how learned policies do on logs that they never saw.
#include <filesystem>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>

#include "cli/failure.hpp"
#include "hsim/learned_report.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_command.hpp"
#include "hsim/subcommands.hpp"
#include "safetensors.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "LOG is in the Standard Workload Format, plain or .gz. A model (htrain) is tried on those logs "
    "that\nit did not learn from; with --last P, one that held out P % of its logs (htrain "
    "--hold-out) is tried\non their ends instead. Windows of consecutive jobs are replayed on an "
    "empty machine.\n"
    "\nExamples\n"
    "  hsim study learned logs/*.swf.gz --models 'models/a.safetensors,models/b.safetensors' "
    "\\\n    --cache study.jsonl --out learned.md\n"
    "\nExit codes\n"
    "  0  done      1  a log or a model cannot be used      2  wrong options\n";

std::vector<StudiedModel> read_models(const Command& command) {
  std::vector<StudiedModel> models;
  for (const std::string& path : command.list_of("models")) {
    StudiedModel model;
    model.file = std::filesystem::absolute(path);
    model.name = std::filesystem::path(path).stem();
    try {
      model.facts =
          jobscripts::read_safetensors_file(path, "Make one with htrain", std::size_t{16} << 20)
              .metadata;
    } catch (const std::runtime_error& error) {
      throw Failure(error.what());
    }
    models.push_back(std::move(model));
  }
  if (models.empty()) command.usage_error("--models: name one or more");
  return models;
}

// The logs on which the model is not to be tried: those that it knows; or, where it has not seen
// the last part that is studied of its own, all others.
std::set<std::string> not_for(const StudiedModel& model, const std::vector<StudiedLog>& logs,
                              int last_percent) {
  std::istringstream names(fact_of(model, "logs"));
  std::set<std::string> known{std::istream_iterator<std::string>(names), {}};
  int held_out = 0;
  std::istringstream(fact_of(model, "held_out")) >> held_out;
  if (held_out < last_percent) return known;
  std::set<std::string> others;
  for (const StudiedLog& log : logs) {
    if (!known.contains(log.name)) others.insert(log.name);
  }
  return others;
}

}  // namespace

int hsim_study_learned(int argc, char** argv) {
  Command command("hsim study learned", "hsim study learned LOG... --models FILE,... [OPTION...]",
                  "Find out what learned policies are worth, and write a page.", kNotes);
  command.value("models", "FILE,...", "that htrain made");
  add_study_options(command);
  command.parse(argc, argv, Command::Asks::Nobody);
  const std::vector<Workload> logs = read_study_logs(command);
  const std::vector<StudiedModel> models = read_models(command);
  StudyPage page;
  page.plan.logs = studied_logs(command, logs);
  page.plan.others = baseline_rules();
  const int last = whole_number(command, "last", 100, 1, 100);
  std::set<std::string> unguarded;  // one model for each set of logs: it takes as long again
  for (const StudiedModel& model : models) {
    page.plan.others.push_back(learned_rule(model.file, true));
    if (!is_variant(model) && unguarded.insert(fact_of(model, "logs")).second) {
      page.plan.others.push_back(learned_rule(model.file, false));
    }
    page.plan.learned_from[model.file] = not_for(model, page.plan.logs, last);
  }
  page.bootstrap.seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  const StudyResults results = replay_study(command, page.plan, logs);
  page.facts = study_facts(command, page.plan, {});
  if (command.json()) {
    std::cout << json_text(results_json(page.plan, results));
    return kExitGood;
  }
  put_page(command, learned_markdown(page, results, models));
  return kExitGood;
}

}  // namespace hyades
