#include "hsim/study_command.hpp"

#include <sys/utsname.h>

#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include "cli/failure.hpp"
#include "cli/times.hpp"
#include "hsim/learned_figures.hpp"
#include "hsim/log_output.hpp"
#include "hsim/metrics_output.hpp"
#include "hsim/random_adviser.hpp"
#include "hsim/replay_advisor.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_progress.hpp"
#include "hsim/study_runner.hpp"
#include "hsim/windows.hpp"

namespace hyades {

void add_study_options(Command& command) {
  command.value("windows", "N", "windows of each log (30)");
  command.value("length", "L", "jobs of each window (1024)");
  command.value("last", "PERCENT", "windows of the last part of each log only (100)");
  command.value("out", "FILE",
                "write the page there, the charts beside it; else the page is printed");
  command.value("cache", "FILE", "keep what was replayed, and go on from there");
  command.value("commit", "ID",
                "which Hyades this is, for the page; what FILE has of another is "
                "replayed again");
  command.value("threads", "N", "replay on so many at once (2)");
  command.value("seed", "S", "of the bootstrap intervals (1)");
}

std::vector<Workload> read_study_logs(const Command& command) {
  if (command.words().empty()) command.usage_error("name one log or more");
  check_outputs(command, {command.value_of("out"), command.value_of("cache")}, command.words());
  std::vector<Workload> logs;
  for (const std::string& path : command.words()) logs.push_back(read_log(command, path));
  return logs;
}

std::vector<StudiedLog> studied_logs(const Command& command, const std::vector<Workload>& logs) {
  std::vector<StudiedLog> studied;
  const auto count = static_cast<std::size_t>(whole_number(command, "windows", 30, 1));
  const auto length = static_cast<std::size_t>(whole_number(command, "length", 1024, 1));
  const int percent = whole_number(command, "last", 100, 1, 100);
  std::set<std::string> names;
  for (const Workload& log : logs) {
    if (!names.insert(log.name).second) throw Failure("two logs are named " + log.name);
    if (log.jobs.size() < length) {
      complain(command.name(), log.name + " has " + std::to_string(log.jobs.size()) +
                                   " jobs: they are one window, shorter than --length");
    }
    const std::size_t last = log.jobs.size() * static_cast<std::size_t>(percent) / 100;
    std::vector<Window> windows = evenly_spaced_windows(last, count, length);
    for (Window& window : windows) window.first += log.jobs.size() - last;
    studied.push_back({log.name, log.procs, log.jobs.size(), std::move(windows)});
  }
  return studied;
}

ClusterConfig rule_config(int procs, const Rule& rule) {
  QueueOrder order{};
  Backfill backfill{};
  if (!parse_queue_order(rule.policy, order) || !parse_backfill(rule.backfill, backfill)) {
    throw Failure("no such rule: " + rule_text(rule));
  }
  ClusterConfig config = pool_of(procs, order, backfill);
  config.guard.enabled = rule.guard;
  if (rule.exact) config.queues.front().run_times = RunTimes::Request;
  if (RunTimes run_times{}; parse_run_times(rule.run_times, run_times)) {
    config.queues.front().run_times = run_times;
  }
  config.policy_model = rule.model;
  if (rule.reserve >= 0) config.queues.front().reserve = rule.reserve / 100.0;
  return config;
}

namespace {

std::vector<ReplayedJob> replay_rule(const Workload& workload, std::span<const TraceJob> earlier,
                                     const Rule& rule, ModelShelf& shelf, AdvisorPool& advisors) {
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(rule_config(workload.procs, rule));
  const bool by_chance = rule.model == random_model;
  RandomAdviser random;
  std::unique_ptr<Adviser> advisor = by_chance ? nullptr : advisors.take(*options.config);
  Replay result = replay_knowing(workload, earlier, origin_ms(workload), options, &shelf,
                                 by_chance ? &random : advisor.get());
  advisors.give_back(*options.config, std::move(advisor));
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

std::string commit_of(const Command& command) {
  return command.has("commit") ? command.value_of("commit") : "not given";
}

}  // namespace

StudyResults replay_study(const Command& command, const StudyPlan& plan,
                          const std::vector<Workload>& logs) {
  const int threads = whole_number(command, "threads", 2, 1, 1024);
  StudyResults results;
  StudyCache cache(command.value_of("cache"),
                   std::string(hyades_version()) + " " + commit_of(command));
  cache.load(plan, results);
  StudyProgress progress("replays");
  ModelShelf shelf;
  AdvisorPool advisors;
  const ReplayRule replay = [&](const Workload& workload, std::span<const TraceJob> earlier,
                                const Rule& rule) {
    return replay_rule(workload, earlier, rule, shelf, advisors);
  };
  StudyRunner(plan, logs, replay)
      .run(threads, cache, results,
           [&](std::size_t done, std::size_t all) { progress.say(done, all); });
  return results;
}

std::vector<std::pair<std::string, std::string>> study_facts(const Command& command,
                                                             const StudyPlan& plan,
                                                             std::vector<std::string> options) {
  std::string line = command.name();  // without where the files lie
  for (const StudiedLog& log : plan.logs) line += " " + log.name;
  options.insert(options.end(), {"windows", "length", "last", "seed"});
  for (const std::string& name : options) {
    if (command.has(name.c_str())) line += " --" + name + "=" + command.value_of(name.c_str());
  }
  return {{"date", utc_time(wall_now_ms()).substr(0, 10)},
          {"hyades", std::string(hyades_version()) + ", commit " + commit_of(command)},
          {"machine", machine_text()},
          {"command", "`" + line + "`"}};
}

void put_page(const Command& command, const std::string& text) {
  if (command.has("out")) return write_text(command.value_of("out"), text);
  std::cout << text;
}

Json results_json(const StudyPlan& plan, const StudyResults& results) {
  Json out = Json::array();
  for (const StudiedLog& log : plan.logs) {
    for (const Rule& rule : plan.rules()) {
      const std::vector<Metrics> metrics = results.of(log, rule);
      for (std::size_t i = 0; i < metrics.size(); ++i) {
        Json one = {{"log", log.name},           {"policy", rule.policy},
                    {"backfill", rule.backfill}, {"guard", rule.guard},
                    {"exact", rule.exact},       {"run_times", rule.run_times},
                    {"reserve", rule.reserve},   {"start", log.windows[i].first}};
        one.update(metrics_json(metrics[i]));
        out.push_back(std::move(one));
      }
    }
  }
  return out;
}

}  // namespace hyades
