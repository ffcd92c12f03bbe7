// hsim compare: one log under two configurations.
#include "cli/failure.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_config.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/subcommands.hpp"
#include "hsim/what_if.hpp"

namespace hyades {

namespace {

constexpr const char* kNotes =
    "A.toml and B.toml are configurations of the master; without [[node]] entries the machine is\n"
    "that of the log. A job goes to the queue that the log names, else to the first.\n"
    "\nExamples\n"
    "  hsim compare old.toml new.toml log.swf.gz\n"
    "  hsim compare old.toml new.toml log.swf.gz --jobs 5000 --picture queue.svg\n"
    "\nExit codes\n"
    "  0  done      1  the log or a configuration cannot be used      2  wrong options\n";

}  // namespace

int hsim_compare(int argc, char** argv) {
  Command command("hsim compare", "hsim compare A.toml B.toml LOG [OPTION...]",
                  "Who would wait longer, and who shorter, under another configuration.", kNotes);
  add_window_options(command);
  command.value("picture", "FILE.svg", "draw the queue and the utilization of both");
  command.parse(argc, argv, Command::Asks::Nobody);
  const auto& words = command.words();
  if (words.size() != 3) command.usage_error("name two configurations and a log");
  check_outputs(command, {command.value_of("picture")}, words);
  const NamedLog log = read_window(command, words[2]);
  const int procs = log.workload.procs;
  print_what_if(command, log, words[0], replay_config(words[0], procs), words[1],
                replay_config(words[1], procs), command.value_of("picture"));
  return kExitGood;
}

}  // namespace hyades
