// hrun: runs a program as the tasks of a step, on the nodes of the job that it is called in.
#include <boost/program_options/options_description.hpp>
#include <charconv>
#include <map>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/step_arguments.hpp"
#include "cli/step_job.hpp"
#include "core/hostlist.hpp"
#include "core/job_spec.hpp"
#include "step/step_client.hpp"

namespace hyades {
namespace {

namespace po = boost::program_options;

constexpr const char* kNotes =
    "Inside a job only, on the node where its script runs. Without options there are as many "
    "tasks\n"
    "as the job has, placed as it has them. Each finds RANK, WORLD_SIZE, LOCAL_RANK,\n"
    "LOCAL_WORLD_SIZE, NODE_RANK, MASTER_ADDR, MASTER_PORT and HYADES_PROCID, HYADES_LOCALID,\n"
    "HYADES_NODEID, HYADES_NODENAME, HYADES_STEP_* in its environment. Lines of different tasks\n"
    "are never mixed. Signals are passed on to all tasks; two interrupts within a second kill\n"
    "them.\n"
    "\nExamples\n"
    "  hrun hostname\n"
    "  hrun --label -n 4 ./train --epochs 10\n"
    "  hrun --ntasks-per-node 1 -i none ./prepare && hrun ./train\n"
    "\nExit codes\n"
    "  the highest of the tasks'; 128+N for a task that signal N ended\n"
    "  1      not inside a job, or more than the job has; a node was lost\n"
    "  2      wrong options\n"
    "  126    the program cannot be run\n"
    "  127    the program was not found\n";

struct Options {
  StepRequest request;
  std::string directory;
  int input_rank = 0;
  bool label = false;
  bool kill_on_bad_exit = false;
  std::vector<std::string> arguments;
};

constexpr StepProgram kProgram{"hrun", "Run a command as parallel tasks on the nodes of this job.",
                               kNotes};

[[noreturn]] void usage_error(const std::string& text) { usage_error(kProgram, text); }

po::options_description describe() {
  po::options_description all("Options", 96, 60);
  option_with_value(all, "ntasks,n", "N", "so many tasks (default: those of the job)");
  option_with_value(all, "ntasks-per-node", "N", "so many on each node");
  option_with_value(all, "nodes,N", "N", "on so many nodes (default: as few as the tasks need)");
  option_with_value(all, "nodelist,w", "NODES", "only on these nodes of the job: vn[1-2],vn7");
  option_without_value(all, "label,l", "put each line behind its task's rank");
  option_with_value(all, "input,i", "WHO",
                    "who gets the standard input: a rank (default 0), all or none");
  option_with_value(all, "chdir,D", "DIR", "run there (default: the current directory)");
  option_without_value(all, "kill-on-bad-exit,K", "stop all tasks when one fails");
  option_without_value(all, "help,h", "show this text");
  option_without_value(all, "version,V", "show the version");
  return all;
}

int read_count(const GivenOption& option, int lowest) {
  int value = 0;
  const char* end = option.value.data() + option.value.size();
  const auto [at, error] = std::from_chars(option.value.data(), end, value);
  if (error == std::errc() && at == end && value >= lowest && value <= Limits::count_max) {
    return value;
  }
  usage_error(option.written + ": use a number from " + std::to_string(lowest));
}

void take(const GivenOption& given, Options& options) {
  if (given.name == "ntasks") options.request.tasks = read_count(given, 1);
  if (given.name == "ntasks-per-node") options.request.tasks_per_node = read_count(given, 1);
  if (given.name == "nodes") options.request.nodes = read_count(given, 1);
  if (given.name == "label") options.label = true;
  if (given.name == "kill-on-bad-exit") options.kill_on_bad_exit = true;
  if (given.name == "chdir") options.directory = given.value;
  std::string error;
  if (given.name == "nodelist") {
    options.request.node_list.clear();
    if (!expand_hostlist(given.value, options.request.node_list, error)) usage_error(error);
  }
  if (given.name != "input") return;
  if (given.value == "all") {
    options.input_rank = input_to_all;
  } else if (given.value == "none") {
    options.input_rank = input_to_none;
  } else {
    options.input_rank = read_count(given, 0);
  }
}

Options read_options(int argc, char** argv) {
  StepArguments given = read_step_arguments(kProgram, describe(), {argv + 1, argv + argc});
  Options options;
  for (const GivenOption& option : given.options) take(option, options);
  options.arguments = std::move(given.command);
  return options;
}

int run(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  const StepFile job = read_job("hrun");
  std::vector<StepShare> shares;
  std::string error;
  if (!lay_out_step(job, options.request, shares, error)) throw Failure(error);
  StepOrder order = new_step_order("hrun", job, std::move(shares));
  order.arguments = options.arguments;
  order.label = options.label;
  order.kill_on_bad_exit = options.kill_on_bad_exit;
  order.input_rank = options.input_rank;
  const StepShare& last = order.shares.back();
  if (order.input_rank >= last.first_rank + last.tasks) {
    throw Failure("--input=" + std::to_string(order.input_rank) + ", but the last rank is " +
                  std::to_string(last.first_rank + last.tasks - 1));
  }
  if (!options.directory.empty()) {
    order.directory =
        options.directory[0] == '/' ? options.directory : order.directory + '/' + options.directory;
  }
  return StepClient(std::move(order)).run();
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  hyades::occupy_standard_streams();
  return hyades::run_command("hrun", [&] { return hyades::run(argc, argv); });
}
