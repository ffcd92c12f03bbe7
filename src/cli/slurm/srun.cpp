// srun, for scripts written for Slurm: the first in the PATH of jobs whose script has #SBATCH
// lines. Says the same to hrun, which lies one directory above, and becomes it.
#include <fcntl.h>
#include <unistd.h>

#include <boost/program_options/options_description.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "cli/command.hpp"
#include "cli/failure.hpp"
#include "cli/step_arguments.hpp"

namespace hyades {
namespace {

namespace po = boost::program_options;

constexpr const char* kNotes =
    "For scripts written for Slurm: `hrun` does the work. Options that ask for what the job has\n"
    "anyway, or that choose how tasks are bound, are taken and do nothing. Tasks of one step do\n"
    "not find each other by PMI: start MPI programs with mpirun.\n";

po::options_description describe() {
  po::options_description all("Options", 96, 60);
  option_with_value(all, "ntasks,n", "N", "so many tasks (default: those of the job)");
  option_with_value(all, "ntasks-per-node", "N", "so many on each node");
  option_with_value(all, "nodes,N", "N", "on so many nodes");
  option_with_value(all, "nodelist,w", "NODES", "only on these nodes of the job");
  option_without_value(all, "label,l", "put each line behind its task's rank");
  option_with_value(all, "input,i", "WHO", "who gets the standard input: a rank, all or none");
  option_with_value(all, "chdir,D", "DIR", "run there");
  option_with_optional_value(all, "kill-on-bad-exit,K", "0|1", "stop all tasks when one fails");
  option_with_value(all, "output,o", "FILE", "the tasks' output, all of it");
  option_with_value(all, "error,e", "FILE", "their standard error (default: with the output)");
  option_with_value(all, "open-mode", "MODE", "append or truncate (default)");
  option_with_value(all, "export", "LIST", "ALL (default), or ALL,NAME=VALUE,...");
  option_without_value(all, "help,h", "show this text");
  option_without_value(all, "version,V", "show the version");
  po::options_description idle("Taken, and without effect");
  for (const char* name : {"cpus-per-task,c",
                           "mem",
                           "mem-per-cpu",
                           "mem-per-gpu",
                           "mem-bind",
                           "gres",
                           "gpus,G",
                           "gpus-per-node",
                           "gpus-per-task",
                           "gpu-bind",
                           "cpu-bind,cpu_bind",
                           "cpu-freq",
                           "distribution,m",
                           "hint",
                           "ntasks-per-core",
                           "ntasks-per-socket",
                           "cores-per-socket",
                           "threads-per-core",
                           "sockets-per-node",
                           "extra-node-info,B",
                           "network",
                           "constraint,C",
                           "licenses,L",
                           "job-name,J",
                           "partition,p",
                           "account,A",
                           "qos,q",
                           "time,t",
                           "comment",
                           "profile",
                           "slurmd-debug",
                           "wait,W",
                           "het-group",
                           "mpi"}) {
    option_with_value(idle, name, "X", "");
  }
  for (const char* name : {"unbuffered,u", "overlap", "exact", "oversubscribe,s", "quiet,Q",
                           "verbose,v", "overcommit,O", "propagate", "no-allocate,Z"}) {
    option_without_value(idle, name, "");
  }
  option_with_optional_value(idle, "exclusive", "X", "");
  return all.add(idle);
}

constexpr StepProgram kProgram{"srun", "As Slurm's srun, inside a job of Hyades.", kNotes};

[[noreturn]] void usage_error(const std::string& text) { usage_error(kProgram, text); }

// Becomes this process's standard output (1) or error (2).
void redirect(const GivenOption& option, int to, bool append) {
  if (option.value.find('%') != option.value.npos) {
    usage_error(option.written + ": a file for each task cannot be had; use `srun --label`");
  }
  const int how = append ? O_APPEND : O_TRUNC;
  const int file = open(option.value.c_str(), O_WRONLY | O_CREAT | how | O_CLOEXEC, 0666);
  if (file < 0 || dup2(file, to) < 0) {
    throw Failure("cannot open '" + option.value + "': " + std::strerror(errno));
  }
}

void set_exported(const GivenOption& option) {
  for (const std::string& item : split_list(option.value)) {
    const std::size_t equals = item.find('=');
    if (equals != item.npos) {
      setenv(item.substr(0, equals).c_str(), item.substr(equals + 1).c_str(), 1);
    } else if (item == "NONE" || item == "NIL") {
      usage_error(option.written + ": tasks always have the script's environment");
    }  // else: all is exported
  }
}

void redirect_outputs(const std::vector<GivenOption>& options) {
  const GivenOption* output = nullptr;
  const GivenOption* error = nullptr;
  bool append = false;
  for (const GivenOption& option : options) {
    if (option.name == "output") output = &option;
    if (option.name == "error") error = &option;
    if (option.name == "open-mode") append = option.value.starts_with("a");
  }
  if (output != nullptr) redirect(*output, STDOUT_FILENO, append);
  if (error != nullptr) {
    redirect(*error, STDERR_FILENO, append);
  } else if (output != nullptr) {
    dup2(STDOUT_FILENO, STDERR_FILENO);
  }
}

// hrun's words for it.
void translate(const GivenOption& option, std::vector<std::string>& words) {
  static const std::set<std::string> same = {"ntasks",   "ntasks-per-node", "nodes",
                                             "nodelist", "input",           "chdir"};
  if (same.contains(option.name)) words.push_back("--" + option.name + '=' + option.value);
  if (option.name == "label") words.emplace_back("--label");
  if (option.name == "kill-on-bad-exit" && option.value != "0") {
    words.emplace_back("--kill-on-bad-exit");
  }
  if (option.name == "export") set_exported(option);
  if (option.name == "mpi" && option.value != "none") {
    complain("srun", option.written +
                         ": tasks do not find each other by PMI here; start MPI "
                         "programs with mpirun");
  }
}

int run(int argc, char** argv) {
  const StepArguments given = read_step_arguments(kProgram, describe(), {argv + 1, argv + argc});
  const auto above = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
  std::vector<std::string> words{above / "hrun"};
  for (const GivenOption& option : given.options) translate(option, words);
  words.emplace_back("--");
  words.insert(words.end(), given.command.begin(), given.command.end());
  redirect_outputs(given.options);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  throw Failure("cannot run " + words[0] + ": " + std::strerror(errno));
}

}  // namespace
}  // namespace hyades

int main(int argc, char** argv) {
  return hyades::run_command("srun", [&] { return hyades::run(argc, argv); });
}
