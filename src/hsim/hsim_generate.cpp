// hsim generate: makes a log.
#include <charconv>

#include "cli/failure.hpp"
#include "core/units.hpp"
#include "hsim/log_output.hpp"
#include "hsim/subcommands.hpp"
#include "trace/swf_writer.hpp"
#include "trace/workload_model.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "The jobs are those of Lublin and Feitelson's model (2003); the same options give the same "
    "log\n"
    "everywhere. docs/simulator.md says what each option does.\n"
    "\nExamples\n"
    "  hsim generate > log.swf\n"
    "  hsim generate --jobs 100000 --procs 1024 --load 0.9 --seed 7 -o log.swf.gz\n"
    "  hsim generate --users 50 --over-estimates --bursts 0.2 --memory 4G > site.swf\n"
    "\nExit codes\n"
    "  0  done      1  no such log can be made, or written      2  wrong options\n";

template <typename Number>
void read_number(const Command& command, const char* option, Number& number) {
  if (!command.has(option)) return;
  const std::string text = command.value_of(option);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    command.usage_error("--" + std::string(option) + "=" + text + ": not a number that it can be");
  }
}

WorkloadModel read_model(const Command& command) {
  WorkloadModel model;
  read_number(command, "jobs", model.jobs);
  read_number(command, "procs", model.procs);
  read_number(command, "load", model.load);
  read_number(command, "bursts", model.bursts);
  read_number(command, "users", model.users);
  read_number(command, "seed", model.seed);
  for (const char* option : {"load", "users"}) {
    if (command.has(option) &&
        command.value_of(option).find_first_not_of("0.") == std::string::npos) {
      command.usage_error("--" + std::string(option) + ": more than 0, or leave it out");
    }
  }
  model.over_estimates = command.has("over-estimates");
  if (command.has("memory")) {
    MiB memory{};
    const std::string text = command.value_of("memory");
    if (!parse_memory_mib(text, memory)) {
      command.usage_error("--memory=" + text + ": not an amount of memory, like 4G");
    }
    model.memory_max_kib = static_cast<std::int64_t>(memory) * 1024;
  }
  const std::string problem = problem_of(model);
  if (!problem.empty()) command.usage_error(problem);
  return model;
}

// So that the log can be made again.
std::string recipe(const Command& command) {
  std::string words = "made by hsim generate";
  for (const char* option : {"jobs", "procs", "load", "bursts", "users", "memory", "seed"}) {
    if (command.has(option)) words += " --" + std::string(option) + "=" + command.value_of(option);
  }
  return words + (command.has("over-estimates") ? " --over-estimates" : "");
}

}  // namespace

int hsim_generate(int argc, char** argv) {
  Command command("hsim generate", "hsim generate [OPTION...]",
                  "Make a log of jobs like those of real machines.", kNotes);
  command.value("jobs", "N", "so many jobs (10000)");
  command.value("procs", "N", "processors of the machine (256)");
  command.value("load", "X", "offered load: 1 is all of the machine (what the model makes)");
  command.value("bursts", "X", "share of the jobs that come many at once: 0 to 0.95 (0)");
  command.value("users", "N", "so many users, who repeat themselves (none)");
  command.flag("over-estimates", "round requests that are too long (exact ones)");
  command.value("memory", "SIZE", "the most that is asked for a processor (none is)");
  command.value("seed", "S", "another log of the same kind (1)");
  add_log_output(command);
  command.parse(argc, argv, Command::Asks::Nobody);
  check_log_output(command);
  if (!command.words().empty()) command.usage_error(command.words().front() + ": not expected");
  const WorkloadModel model = read_model(command);
  const Workload workload = generate_workload(model);
  put_log(command, workload, swf_text(workload, {}, recipe(command)), {});
  return kExitGood;
}

}  // namespace hyades
