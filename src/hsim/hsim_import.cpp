// hsim import: makes a log of another system's accounting.
#include "cli/failure.hpp"
#include "hsim/log_output.hpp"
#include "hsim/replay_options.hpp"
#include "hsim/subcommands.hpp"
#include "trace/sacct_reader.hpp"

namespace hyades {
namespace {

constexpr const char* kNotes =
    "FILE is what Slurm's sacct prints, plain or .gz; - is standard input. On a login node of "
    "Slurm:\n"
    "  SLURM_TIME_FORMAT=%s sacct -a -X -P -S 2024-01-01 -E now -o "
    "JobIDRaw,Submit,Start,ElapsedRaw,\\\n"
    "TimelimitRaw,ReqCPUS,AllocCPUS,ReqMem,NNodes,User,Group,Partition,JobName,State > site.csv\n"
    "\nExamples\n"
    "  hsim import site.csv --procs 4096 > site.swf\n"
    "  hsim import site.csv.gz -o site.swf.gz --json\n"
    "\nExit codes\n"
    "  0  done      1  the file cannot be used      2  wrong options\n";

}  // namespace

int hsim_import(int argc, char** argv) {
  Command command("hsim import", "hsim import FILE [OPTION...]",
                  "Make a log of what another batch system has recorded.", kNotes);
  command.value("procs", "N", "processors of the machine (as many as were ever used at a time)");
  add_log_output(command);
  command.parse(argc, argv, Command::Asks::Nobody);
  check_log_output(command);
  if (command.words().size() != 1) command.usage_error("name one file");
  const std::string& path = command.words().front();
  const HistoryLog log = read_sacct(path, whole_number(command, "procs", 0, 1));
  say_clean_ups(command, path, log.clean_ups);
  if (log.machine_guessed) {
    complain(command.name(), path + ": took for the machine what was used at a time at most, " +
                                 std::to_string(log.workload.procs) +
                                 " processors; --procs says it better");
  }
  const std::string text = swf_text(log.workload, log.header, "made by hsim import", log.past);
  put_log(command, log.workload, text, log.clean_ups);
  return kExitGood;
}

}  // namespace hyades
