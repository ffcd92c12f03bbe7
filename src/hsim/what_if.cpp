#include "hsim/what_if.hpp"

#include <algorithm>
#include <future>
#include <iostream>
#include <set>

#include "cli/failure.hpp"
#include "hsim/knowing_replay.hpp"
#include "hsim/log_output.hpp"
#include "hsim/metrics_output.hpp"
#include "hsim/queue_svg.hpp"
#include "hsim/replay_advisor.hpp"
#include "hsim/replay_check.hpp"
#include "hsim/replay_config.hpp"
#include "hsim/wait_comparison_output.hpp"

namespace hyades {

namespace {

constexpr std::size_t kUsers = 12;  // that the table names

std::string name_in(const std::map<int, std::string>& names, int number) {
  const auto found = names.find(number);
  return found == names.end() ? std::string() : found->second;
}

WaitNames names_of(const NamedLog& log) {
  WaitNames names;
  names.queue = [&log](int queue) { return name_in(log.queues, queue); };
  names.user = [&log](int user) { return name_in(log.users, user); };
  return names;
}

// The log on the configuration's machine, which may be another one than that of the log.
Workload on_machine(Workload workload, const ClusterConfig& config) {
  workload.procs = procs_of(config);
  return workload;
}

}  // namespace

Replay schedule(const NamedLog& log, const std::string& name, const ClusterConfig& config) {
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(config);
  options.queue_names = log.queues;
  const std::unique_ptr<Adviser> adviser = replay_advisor(config);
  Replay result = replay_knowing(log.workload, log.earlier, {}, options, nullptr, adviser.get());
  if (result.refused > 0) {
    throw Failure(name + " refuses " + std::to_string(result.refused) + " of the " +
                  std::to_string(log.workload.jobs.size()) + " jobs of " + log.workload.name +
                  "; the first is " + result.first_refusal +
                  ". Leave such jobs out of the log, or compare files without that limit with hsim "
                  "compare");
  }
  const std::string wrong = check_replay(on_machine(log.workload, config), result.jobs);
  if (!wrong.empty()) {
    throw Failure("the replay under " + name + " is wrong: " + wrong);
  }
  return result;
}

void say_strangers(const Command& command, const NamedLog& log, const std::string& name,
                   const ClusterConfig& config) {
  std::set<std::string> known;
  for (const QueueConfig& queue : config.queues) known.insert(queue.name);
  const auto is_known = [&](const auto& named) { return known.contains(named.second); };
  // A file that names none of them is not about them.
  if (std::none_of(log.queues.begin(), log.queues.end(), is_known)) return;
  std::set<std::string> strange;
  std::size_t jobs = 0;
  for (const TraceJob& job : log.workload.jobs) {
    const std::string queue = name_in(log.queues, job.queue);
    if (queue.empty() || known.contains(queue)) continue;
    strange.insert(queue);
    ++jobs;
  }
  if (jobs == 0) return;
  std::string names;
  for (const std::string& queue : strange) names += (names.empty() ? "" : ", ") + queue;
  complain(command.name(), std::to_string(jobs) + " jobs are of queues that " + name +
                               " has not (" + names + "): they go to '" +
                               config.queues.front().name + "'");
}

void print_what_if(const Command& command, const NamedLog& log, const std::string& before_name,
                   const ClusterConfig& before, const std::string& after_name,
                   const ClusterConfig& after, const std::string& picture) {
  if (procs_of(before) != procs_of(after)) {
    complain(command.name(), before_name + " has " + std::to_string(procs_of(before)) +
                                 " processors and " + after_name + " " +
                                 std::to_string(procs_of(after)) +
                                 ": what differs may be the machine's doing");
  }
  say_strangers(command, log, before_name, before);
  say_strangers(command, log, after_name, after);
  auto other = std::async(std::launch::async, [&] { return schedule(log, before_name, before); });
  const Replay now = schedule(log, after_name, after);
  const Replay then = other.get();
  const WaitComparison comparison = compare_waits(log.workload, then.jobs, now.jobs, names_of(log));
  const Workload old_log = on_machine(log.workload, before);
  const Workload new_log = on_machine(log.workload, after);
  const Metrics old_figures = measure(old_log, then.jobs);
  const Metrics new_figures = measure(new_log, now.jobs);
  if (command.json()) {
    Json out = {{"log", log.workload.name},
                {"clean_ups", clean_ups_json(log.clean_ups)},
                {"before", metrics_json(old_figures)},
                {"after", metrics_json(new_figures)},
                {"waits", wait_comparison_json(comparison)}};
    std::cout << json_text(out);
  } else {
    std::cout << metrics_table({{before_name, old_figures}, {after_name, new_figures}},
                               command.terminal())
              << "\n"
              << wait_comparison_text(comparison, kUsers, command.terminal());
  }
  if (picture.empty()) return;
  QueuePicture drawing = queue_picture(new_log.procs > old_log.procs ? new_log : old_log,
                                       {{before_name, queue_over_time(log.workload, then.jobs)},
                                        {after_name, queue_over_time(log.workload, now.jobs)}});
  write_text(picture, queue_svg(drawing));
}

}  // namespace hyades
