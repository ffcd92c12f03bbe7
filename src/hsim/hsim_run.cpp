// hsim run: replays a log under one policy.
#include <filesystem>
#include <iostream>

#include "cli/failure.hpp"
#include "hsim/gantt_svg.hpp"
#include "hsim/knowing_replay.hpp"
#include "hsim/log_output.hpp"
#include "hsim/metrics_output.hpp"
#include "hsim/queue_svg.hpp"
#include "hsim/replay_advisor.hpp"
#include "hsim/replay_check.hpp"
#include "hsim/replay_config.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/study_progress.hpp"
#include "hsim/subcommands.hpp"

namespace hyades {

namespace {

constexpr const char* kNotes =
    "LOG is in the Standard Workload Format, plain or .gz; - is standard input. Without\n"
    "--config the machine is one node with the processors of the log; with it, a job goes to the\n"
    "queue that the log names, else to the first. Orders that look at the time of submission\n"
    "count from the first job.\n"
    "\nExamples\n"
    "  hsim run log.swf.gz --policy saf\n"
    "  hsim run log.swf --policy f2 --start 5000 --jobs 1024 --json\n"
    "  hsim run log.swf --config cluster.toml --gantt jobs.svg --queue queue.svg\n"
    "\nExit codes\n"
    "  0  done      1  the log cannot be used      2  wrong options\n";

Json starts_json(const Workload& workload, const Replay& replay) {
  Json starts = Json::array();
  for (std::size_t i = 0; i < replay.jobs.size(); ++i) {
    starts.push_back({workload.jobs[i].id, replay.jobs[i].start_s});
  }
  return starts;
}

// The configuration of --config, or the pool; --policy, --backfill and --guard have the last word.
ClusterConfig config_of(const Command& command, int procs) {
  const bool has_file = command.has("config");
  ClusterConfig config = has_file ? replay_config(command.value_of("config"), procs)
                                  : pool_of(procs, QueueOrder::Fcfs, Backfill::Easy);
  if (!has_file) config.guard.enabled = true;
  for (QueueConfig& queue : config.queues) {
    if (command.has("policy")) queue.order = order_named(command, command.value_of("policy"));
    if (command.has("backfill")) {
      queue.backfill = backfill_named(command, command.value_of("backfill"));
    }
    if (command.has("run-times")) {
      queue.run_times = run_times_named(command, command.value_of("run-times"));
    }
    if (command.has("reserve")) queue.reserve = whole_number(command, "reserve", 0, 0, 50) / 100.0;
  }
  if (command.has("model")) {
    config.policy_model = std::filesystem::absolute(command.value_of("model"));
  }
  if (command.has("guard")) {
    const std::string when = command.value_of("guard");
    if (when != "on" && when != "off") command.usage_error("--guard=" + when + ": use on or off");
    config.guard.enabled = when == "on";
  }
  return config;
}

Replay run_under(const NamedLog& log, ClusterConfig config) {
  StudyProgress progress("jobs");
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(std::move(config));
  options.queue_names = log.queues;
  options.progress = [&](std::size_t ended) { progress.say(ended, log.workload.jobs.size()); };
  const std::unique_ptr<Adviser> adviser = replay_advisor(*options.config);
  Replay result = replay_knowing(log.workload, log.earlier, origin_ms(log.workload), options,
                                 nullptr, adviser.get());
  if (result.refused > 0) {
    throw Failure(std::to_string(result.refused) + " of " +
                  std::to_string(log.workload.jobs.size()) +
                  " jobs would be refused; the first is " + result.first_refusal);
  }
  if (const std::string wrong = check_replay(log.workload, result.jobs); !wrong.empty()) {
    throw Failure("the replay is wrong: " + wrong);
  }
  return result;
}

void draw(const Command& command, const Workload& workload, const Replay& replay,
          const std::string& rule) {
  if (command.has("gantt")) {
    GanttOptions options;
    options.title = workload.name + ", " + rule;
    write_text(command.value_of("gantt"), gantt_svg(workload, replay.jobs, options));
  }
  if (command.has("queue")) {
    const std::vector<QueueSample> samples = queue_over_time(workload, replay.jobs);
    write_text(command.value_of("queue"), queue_svg(queue_picture(workload, {{rule, samples}})));
  }
}

}  // namespace

int hsim_run(int argc, char** argv) {
  Command command("hsim run", "hsim run LOG [OPTION...]",
                  "Replay a log through the scheduler of the master.", kNotes);
  add_window_options(command);
  command.value("policy", "P",
                "fcfs (default), sjf, saf, lxf, wfp3, unicep, f1 to f4, mf, index, learned, "
                "lookahead-wait, lookahead-slowdown; of all queues");
  command.value("model", "FILE", "of the learned policy (the one that is installed)");
  command.value("backfill", "B", "easy (default), none, easy-fcfs, easy-sjbf, cons; of all queues");
  command.value("run-times", "R",
                "request, last2, gbdt: what orders take for run times (gbdt for index, learned and "
                "looking ahead, else request)");
  command.value("reserve", "PERCENT",
                "of the processors, kept for jobs to come by those expected to run for more than "
                "an hour (5 where run times are gbdt by default, else 0)");
  command.value("guard", "WHEN", "on (default) or off: the bound on how long anybody waits");
  command.value("config", "FILE.toml", "queues, guard and nodes as the master is configured");
  command.flag("starts", "also print when each job started, with --json");
  command.value("gantt", "FILE.svg", "draw who had which processors when");
  command.value("queue", "FILE.svg", "draw the queue and the utilization over time");
  command.parse(argc, argv, Command::Asks::Nobody);
  if (command.words().size() != 1) command.usage_error("name one log");
  if (command.has("starts") && !command.json()) {
    command.usage_error("--starts is a part of the JSON: use it with --json");
  }
  check_outputs(command, {command.value_of("gantt"), command.value_of("queue")},
                {command.words().front(), command.value_of("config")});
  NamedLog log = read_window(command, command.words().front());
  ClusterConfig config = config_of(command, log.workload.procs);
  if (command.has("procs") && procs_of(config) != log.workload.procs) {
    command.usage_error("--procs=" + command.value_of("procs") + ": the nodes of " +
                        command.value_of("config") + " are the machine");
  }
  log.workload.procs = procs_of(config);
  say_strangers(command, log, command.value_of("config"), config);
  const QueueConfig& first = config.queues.front();
  const std::string rule = command.has("config") ? command.value_of("config")
                                                 : std::string(to_string(first.order)) + " with " +
                                                       std::string(to_string(first.backfill));
  const Replay result = run_under(log, std::move(config));
  const Metrics metrics = measure(log.workload, result.jobs);
  if (command.json()) {
    Json out = metrics_json(metrics);
    out["clean_ups"] = clean_ups_json(log.clean_ups);
    if (command.has("starts")) out["starts"] = starts_json(log.workload, result);
    std::cout << json_text(out);
  } else {
    std::cout << metrics_text(metrics, command.terminal());
  }
  draw(command, log.workload, result, rule);
  return kExitGood;
}

}  // namespace hyades
