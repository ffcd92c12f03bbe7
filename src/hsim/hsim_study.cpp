// hsim study: many rules on many windows of several logs, and the page about it.
#include <algorithm>
#include <cstring>
#include <iostream>

#include "cli/failure.hpp"
#include "cli/json_output.hpp"
#include "hsim/hsim_study_devices.hpp"
#include "hsim/hsim_study_placement.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_command.hpp"
#include "hsim/study_report.hpp"
#include "hsim/subcommands.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "LOG is in the Standard Workload Format, plain or .gz. Windows of consecutive jobs are "
    "replayed\n"
    "on an empty machine; they are evenly spaced over each log. Every policy is tried with every\n"
    "backfill, and with EASY also behind the guard and with exact run times.\n"
    "\nExamples\n"
    "  hsim study logs/*.swf.gz --out policies.md --cache study.jsonl\n"
    "  hsim study log.swf --policies fcfs,saf --backfills easy --windows 10 --json\n"
    "  hsim study devices --help                  what the right devices are worth\n"
    "  hsim study learned --help                  what models of htrain are worth\n"
    "  hsim study placement --help                what choosing nodes by cost is worth\n"
    "  hsim study predict --help                  how well run times are foreseen\n"
    "\nExit codes\n"
    "  0  done      1  a log cannot be used, or a replay is wrong      2  wrong options\n";

bool switch_option(const Command& command, const char* name) {
  if (!command.has(name) || command.value_of(name) == "on") return true;
  if (command.value_of(name) == "off") return false;
  command.usage_error("--" + std::string(name) + "=" + command.value_of(name) + ": on or off");
}

// All of them, in their order, unless some are named; each once.
template <typename E>
std::vector<std::string> words_of(const Command& command, const char* option,
                                  const std::vector<E>& all) {
  std::vector<std::string> named;
  for (std::string& word : command.list_of(option)) {
    if (std::find(named.begin(), named.end(), word) == named.end()) {
      named.push_back(std::move(word));
    }
  }
  if (command.has(option) && named.empty()) {
    command.usage_error("--" + std::string(option) + ": names none");
  }
  if (!named.empty()) return named;
  std::vector<std::string> words;
  for (const E each : all) words.emplace_back(to_string(each));
  return words;
}

StudyPlan plan_of(const Command& command, const std::vector<Workload>& logs) {
  StudyPlan plan;
  plan.policies = words_of(command, "policies", fixed_queue_orders());
  plan.backfills = words_of(command, "backfills", all_backfills());
  for (const std::string& word : plan.policies) order_named(command, word, "policies");
  for (const std::string& word : plan.backfills) backfill_named(command, word, "backfills");
  if (std::find(plan.backfills.begin(), plan.backfills.end(), "easy") == plan.backfills.end()) {
    command.usage_error("--backfills: name easy, too: the tables compare with it");
  }
  plan.guarded = switch_option(command, "guard");
  plan.exact = switch_option(command, "exact");
  plan.logs = studied_logs(command, logs);
  return plan;
}

// FILE.md and, beside it, FILE-slowdown.svg and its like.
void write_page(const std::string& path, StudyPage page, const StudyResults& results) {
  const std::size_t slash = path.find_last_of('/');
  const std::string stem = path.ends_with(".md") ? path.substr(0, path.size() - 3) : path;
  page.charts = slash == std::string::npos ? stem : stem.substr(slash + 1);
  for (const StudyChart& chart : study_charts(page, results)) {
    write_text(stem + "-" + chart.name + ".svg", chart.svg);
  }
  write_text(path, study_markdown(page, results));
}

Command study_command() {
  Command command("hsim study", "hsim study LOG... [OPTION...]",
                  "Try scheduling rules on windows of logs, and write a page about it.", kNotes);
  command.value("policies", "P,...", "which (all)");
  command.value("backfills", "B,...", "which (all)");
  add_study_options(command);
  command.value("guard", "WHEN", "on (default): also behind the guard; off");
  command.value("exact", "WHEN", "on (default): also with exact run times; off");
  return command;
}

}  // namespace

int hsim_study(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "predict") == 0)
    return hsim_study_predict(argc - 1, &argv[1]);
  if (argc > 1 && std::strcmp(argv[1], "learned") == 0)
    return hsim_study_learned(argc - 1, &argv[1]);
  if (argc > 1 && std::strcmp(argv[1], "devices") == 0)
    return hsim_study_devices(argc - 1, &argv[1]);
  if (argc > 1 && std::strcmp(argv[1], "placement") == 0)
    return hsim_study_placement(argc - 1, &argv[1]);
  Command command = study_command();
  command.parse(argc, argv, Command::Asks::Nobody);
  const std::vector<Workload> logs = read_study_logs(command);
  StudyPage page;
  page.plan = plan_of(command, logs);
  page.bootstrap.seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  const StudyResults results = replay_study(command, page.plan, logs);
  page.facts = study_facts(command, page.plan, {"policies", "backfills", "guard", "exact"});
  if (command.has("out")) {
    write_page(command.value_of("out"), page, results);
  }
  if (command.json()) {
    std::cout << json_text(results_json(page.plan, results));
  } else if (!command.has("out")) {
    page.charts = "policies";
    std::cout << study_markdown(page, results);
  }
  return kExitGood;
}

}  // namespace hyades
