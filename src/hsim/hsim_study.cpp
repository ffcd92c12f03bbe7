// hsim study: many rules on many windows of several logs, and the page about it.
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include "cli/failure.hpp"
#include "cli/times.hpp"
#include "hsim/log_output.hpp"
#include "hsim/metrics_output.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_progress.hpp"
#include "hsim/study_report.hpp"
#include "hsim/study_runner.hpp"
#include "hsim/subcommands.hpp"
#include "hsim/windows.hpp"
#include "policy/backfill_policy.hpp"

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
  plan.policies = words_of(command, "policies", all_queue_orders());
  plan.backfills = words_of(command, "backfills", all_backfills());
  for (const std::string& word : plan.policies) order_named(command, word, "policies");
  for (const std::string& word : plan.backfills) backfill_named(command, word, "backfills");
  if (std::find(plan.backfills.begin(), plan.backfills.end(), "easy") == plan.backfills.end()) {
    command.usage_error("--backfills: name easy, too: the tables compare with it");
  }
  plan.guarded = switch_option(command, "guard");
  plan.exact = switch_option(command, "exact");
  const auto count = static_cast<std::size_t>(whole_number(command, "windows", 30, 1));
  const auto length = static_cast<std::size_t>(whole_number(command, "length", 1024, 1));
  std::set<std::string> names;
  for (const Workload& log : logs) {
    if (!names.insert(log.name).second) throw Failure("two logs are named " + log.name);
    if (log.jobs.size() < length) {
      complain(command.name(), log.name + " has " + std::to_string(log.jobs.size()) +
                                   " jobs: they are one window, shorter than --length");
    }
    plan.logs.push_back({log.name, log.procs, log.jobs.size(),
                         evenly_spaced_windows(log.jobs.size(), count, length)});
  }
  return plan;
}

std::vector<ReplayedJob> replay_rule(const Workload& workload, const Rule& rule) {
  QueueOrder order{};
  Backfill backfill{};
  if (!parse_queue_order(rule.policy, order) || !parse_backfill(rule.backfill, backfill)) {
    throw Failure("no such rule: " + rule_text(rule));
  }
  ReplayOptions options;
  ClusterConfig config = pool_of(workload.procs, order, backfill);
  config.guard.enabled = rule.guard;
  options.config = std::make_shared<ClusterConfig>(std::move(config));
  BackfillPolicy policy(origin_ms(workload));
  Replay result = replay(workload, policy, options);
  if (result.refused > 0) throw Failure(workload.name + ": " + result.first_refusal);
  return std::move(result.jobs);
}

std::string machine_text() {
  std::ifstream file("/proc/cpuinfo");
  std::string model = "unknown processor";
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == std::string::npos) continue;
    model = line.substr(colon + 2);
    break;
  }
  utsname kernel{};
  uname(&kernel);
  return std::to_string(std::thread::hardware_concurrency()) + " x " + model + ", " +
         kernel.sysname + " " + kernel.release;
}

// The options that say what was done, without where the files lie.
std::string command_text(const Command& command, const StudyPlan& plan) {
  std::string out = "hsim study";
  for (const StudiedLog& log : plan.logs) out += " " + log.name;
  for (const char* name :
       {"policies", "backfills", "windows", "length", "guard", "exact", "seed"}) {
    if (command.has(name)) out += std::string(" --") + name + "=" + command.value_of(name);
  }
  return out;
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

Json results_json(const StudyPlan& plan, const StudyResults& results) {
  Json out = Json::array();
  for (const StudiedLog& log : plan.logs) {
    for (const Rule& rule : plan.rules()) {
      const std::vector<Metrics> metrics = results.of(log, rule);
      for (std::size_t i = 0; i < metrics.size(); ++i) {
        Json one = {{"log", log.name},           {"policy", rule.policy},
                    {"backfill", rule.backfill}, {"guard", rule.guard},
                    {"exact", rule.exact},       {"start", log.windows[i].first}};
        one.update(metrics_json(metrics[i]));
        out.push_back(std::move(one));
      }
    }
  }
  return out;
}

Command study_command() {
  Command command("hsim study", "hsim study LOG... [OPTION...]",
                  "Try scheduling rules on windows of logs, and write a page about it.", kNotes);
  command.value("policies", "P,...", "which (all)");
  command.value("backfills", "B,...", "which (all)");
  command.value("windows", "N", "windows of each log (30)");
  command.value("length", "L", "jobs of each window (1024)");
  command.value("guard", "WHEN", "on (default): also behind the guard; off");
  command.value("exact", "WHEN", "on (default): also with exact run times; off");
  command.value("out", "FILE",
                "write the page there, the charts beside it; else the page is printed");
  command.value("cache", "FILE", "keep what was replayed, and go on from there");
  command.value("commit", "ID",
                "which Hyades this is, for the page; what FILE has of another is "
                "replayed again");
  command.value("threads", "N", "replay on so many at once (2)");
  command.value("seed", "S", "of the bootstrap intervals (1)");
  return command;
}

}  // namespace

int hsim_study(int argc, char** argv) {
  Command command = study_command();
  command.parse(argc, argv, Command::Asks::Nobody);
  if (command.words().empty()) command.usage_error("name one log or more");
  check_outputs(command, {command.value_of("out"), command.value_of("cache")}, command.words());
  std::vector<Workload> logs;
  for (const std::string& path : command.words()) logs.push_back(read_log(command, path));
  StudyPage page;
  page.plan = plan_of(command, logs);
  page.bootstrap.seed = static_cast<std::uint64_t>(whole_number(command, "seed", 1, 0));
  const int threads = whole_number(command, "threads", 2, 1, 1024);
  const std::string commit = command.has("commit") ? command.value_of("commit") : "not given";
  StudyResults results;
  StudyCache cache(command.value_of("cache"), std::string(hyades_version()) + " " + commit);
  cache.load(page.plan, results);
  {
    StudyProgress progress("replays");
    StudyRunner(page.plan, logs, replay_rule)
        .run(threads, cache, results,
             [&](std::size_t done, std::size_t all) { progress.say(done, all); });
  }
  page.facts = {{"date", utc_time(wall_now_ms()).substr(0, 10)},
                {"hyades", std::string(hyades_version()) + ", commit " + commit},
                {"machine", machine_text()},
                {"command", "`" + command_text(command, page.plan) + "`"}};
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
