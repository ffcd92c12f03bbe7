// hsim study predict: how wrong predicted run times are, and what they and a reserve are worth.
#include <iostream>

#include "cli/failure.hpp"
#include "hsim/log_output.hpp"
#include "hsim/prediction_report.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_command.hpp"
#include "hsim/study_progress.hpp"
#include "hsim/subcommands.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "LOG is in the Standard Workload Format, plain or .gz. Windows of consecutive jobs are "
    "replayed\n"
    "on an empty machine; what is predicted there is learned from the jobs before the window.\n"
    "\nExamples\n"
    "  hsim study predict logs/*.swf.gz --out predictions.md --cache study.jsonl\n"
    "\nExit codes\n"
    "  0  done      1  a log cannot be used, or a replay is wrong      2  wrong options\n";

using Samples = std::map<std::string, std::vector<ForecastSample>>;

Samples probe(const StudyPlan& plan, const std::vector<Workload>& logs) {
  Samples samples;
  ModelShelf shelf;
  std::size_t done = 0, all = 0;
  for (const StudiedLog& log : plan.logs) all += log.windows.size();
  StudyProgress progress("windows");
  for (std::size_t i = 0; i < logs.size(); ++i) {
    std::vector<ForecastSample>& of_log = samples[plan.logs[i].name];
    for (const Window& window : plan.logs[i].windows) {
      const std::vector<ForecastSample> more =
          forecasts_of(cut(logs[i], window), std::span(logs[i].jobs).first(window.first), shelf);
      of_log.insert(of_log.end(), more.begin(), more.end());
      progress.say(++done, all);
    }
  }
  return samples;
}

}  // namespace

int hsim_study_predict(int argc, char** argv) {
  Command command("hsim study predict", "hsim study predict LOG... [OPTION...]",
                  "Find out what predicted run times and a reserve are worth, and write a page.",
                  kNotes);
  add_study_options(command);
  command.parse(argc, argv, Command::Asks::Nobody);
  const std::vector<Workload> logs = read_study_logs(command);
  StudyPage page;
  page.plan.logs = studied_logs(command, logs);
  page.plan.others = prediction_rules();
  page.bootstrap.seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  const StudyResults results = replay_study(command, page.plan, logs);
  page.facts = study_facts(command, page.plan, {});
  if (command.json()) {
    std::cout << json_text(results_json(page.plan, results));
    return kExitGood;
  }
  put_page(command, prediction_markdown(page, results, probe(page.plan, logs)));
  return kExitGood;
}

}  // namespace hyades
