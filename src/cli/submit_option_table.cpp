#include "cli/submit_option_table.hpp"

#include "cli/argument_parser.hpp"

namespace hyades {
namespace {

constexpr auto Nothing = OptionTakes::Nothing;
constexpr auto Value = OptionTakes::Value;
constexpr auto Optional = OptionTakes::Optional;
constexpr auto Yes = OptionSupport::Yes;
constexpr auto Quiet = OptionSupport::Quiet;
constexpr auto Ignored = OptionSupport::Ignored;
constexpr auto Refused = OptionSupport::Refused;
constexpr auto Privileged = OptionSupport::Privileged;

// clang-format off
const std::vector<SubmitOption> kTable = {
    // What to run.
    {"job-name,J", Value, Yes, false, "NAME", "name of the job (default: the script's name)"},
    {"wrap", Value, Yes, true, "COMMAND", "run this shell command in place of a script"},
    {"chdir,workdir,D", Value, Yes, false, "DIR", "directory to run in (default: here)"},
    {"output,o", Value, Yes, false, "FILE", "standard output; %j is the job id, %x its name"},
    {"error,e", Value, Yes, false, "FILE", "standard error (default: with the output)"},
    {"input,i", Value, Yes, false, "FILE", "standard input (default: empty)"},
    {"open-mode", Value, Yes, false, "MODE", "append or truncate (default)"},
    {"export", Value, Yes, false, "WHAT", "ALL (default), NONE, NIL, or NAME,NAME=value,..."},
    {"comment", Value, Yes, false, "TEXT", "a note that stays with the job"},
    // What it needs.
    {"partition,queue,p", Value, Yes, false, "QUEUE", "queue (default: the cluster's)"},
    {"time,t", Value, Yes, false, "TIME", "limit: minutes, h:mm:ss or d-hh:mm:ss"},
    {"nodes,N", Value, Yes, false, "N", "number of nodes"},
    {"ntasks,n", Value, Yes, false, "N", "number of tasks"},
    {"ntasks-per-node,tasks-per-node", Value, Yes, false, "N", "most tasks on one node"},
    {"cpus-per-task,c", Value, Yes, false, "N", "cores for each task"},
    {"mem", Value, Yes, false, "SIZE", "memory on each node: 512M, 4G"},
    {"mem-per-cpu", Value, Yes, false, "SIZE", "memory for each core"},
    {"mem-per-gpu", Value, Yes, false, "SIZE", "memory for each GPU"},
    {"gres", Value, Yes, false, "LIST", "devices on each node: gpu:2 or gpu:TYPE:2"},
    {"gpus-per-node", Value, Yes, false, "N", "GPUs on each node"},
    {"gpus,G", Value, Yes, false, "N", "GPUs in all"},
    {"gpus-per-task", Value, Yes, false, "N", "GPUs for each task"},
    {"cpus-per-gpu", Value, Yes, false, "N", "cores for each GPU"},
    {"exclusive", Optional, Yes, false, "", "whole nodes, shared with nobody"},
    {"constraint,C", Value, Yes, false, "A&B", "features that each node must have"},
    {"nodelist,w", Value, Yes, false, "HOSTS", "run on these nodes: n[1-4],n7"},
    {"exclude,x", Value, Yes, false, "HOSTS", "never run on these nodes"},
    // When it runs and how it ends.
    {"begin,b", Value, Yes, false, "TIME", "not before: now+1hour, 16:00, 2030-01-31T08:00"},
    {"dependency,d", Value, Yes, false, "LIST", "after|afterany|afterok|afternotok:ID[:ID...],..."},
    {"hold,H", Nothing, Yes, false, "", "queue it held; hctl release lets it go"},
    {"priority", Value, Yes, false, "N", "higher first within a queue"},
    {"nice", Optional, Yes, false, "N", "lower the priority by N (100)"},
    {"requeue", Nothing, Yes, false, "", "start it again after a node failure (default)"},
    {"no-requeue", Nothing, Yes, false, "", "never start it again"},
    {"lease", Value, Yes, false, "TIME",
     "end it, and let it start elsewhere, when its node has not heard of the master for so long: "
     "20s, m:ss; none"},
    {"counters", Value, Yes, false, "LIST",
     "count these events in it: PAPI_TOT_INS, perf::PAGE-FAULTS, ...; none"},
    {"class", Value, Yes, false, "NAME",
     "what it does with its nodes: compute, memory, latency, disk, network, mixed, or a site's own; "
     "none: any will do"},
    {"elastic", Optional, Yes, false, "N",
     "it may use idle cores of its nodes until others are given them: up to N on each, its own "
     "among them; no: only its own"},
    {"power-margin", Value, Yes, false, "PCT",
     "it may run up to PCT percent slower where that saves power; no: as fast as it can"},
    {"signal", Value, Yes, false, "[B:]SIG[@S]", "send SIG S seconds (60) before the time limit"},
    {"kill-on-invalid-dep", Value, Quiet, false, "yes|no",
     "always yes here: a job whose dependency can never be met is cancelled"},
    // How hsub itself behaves.
    {"parsable", Nothing, Yes, false, "", "print the job id alone"},
    {"json", Nothing, Yes, true, "", "print the answer as JSON"},
    {"quiet,Q", Nothing, Yes, false, "", "print nothing when all is well"},
    {"verbose,v", Nothing, Yes, false, "", "say on stderr what is submitted"},
    {"wait,W", Nothing, Yes, false, "", "wait until the job ends; exit with its exit code"},
    {"test-only", Nothing, Yes, true, "", "check and estimate the start; queue nothing"},
    {"strict", Nothing, Yes, true, "", "refuse whatever would only be warned about"},
    {"retry-for", Value, Yes, true, "TIME", "keep trying while the master restarts (30 s)"},
    {"master", Value, Yes, true, "HOST:PORT", "the master on another host (else $HYADES_MASTER)"},
    {"dir", Value, Yes, true, "DIR", "state directory of the cluster (else $HYADES_DIR)"},
    {"help,h", Nothing, Yes, true, "", "show this text"},
    {"version,V", Nothing, Yes, true, "", "show the version"},
    {"usage", Nothing, Yes, true, "", "show this text"},
    // Said by default anyway.
    {"ignore-pbs", Nothing, Quiet, false, "", "#PBS lines are never read"},
    {"no-kill,k", Optional, Ignored, false, "", ""},
    {"wait-all-nodes", Value, Quiet, false, "0|1", "a job always starts when all its nodes are ready"},
    {"use-min-nodes", Nothing, Quiet, false, "", "the smaller end of a node range is always used"},
    // Known to sbatch, not to us yet.
    {"account,A", Value, Ignored, false, "", ""},
    {"acctg-freq", Value, Ignored, false, "", ""},
    {"batch", Value, Ignored, false, "", ""},
    {"bb", Value, Ignored, false, "", ""},
    {"bbf", Value, Ignored, false, "", ""},
    {"cluster-constraint", Value, Ignored, false, "", ""},
    {"clusters,M", Value, Ignored, false, "", ""},
    {"container", Value, Ignored, false, "", ""},
    {"contiguous", Nothing, Ignored, false, "", ""},
    {"core-spec,S", Value, Ignored, false, "", ""},
    {"cores-per-socket", Value, Ignored, false, "", ""},
    {"cpu-freq", Value, Ignored, false, "", ""},
    {"deadline", Value, Ignored, false, "", ""},
    {"delay-boot", Value, Ignored, false, "", ""},
    {"distribution,m", Value, Ignored, false, "", ""},
    {"export-file", Value, Ignored, false, "", ""},
    {"extra-node-info,B", Value, Ignored, false, "", ""},
    {"get-user-env", Optional, Ignored, false, "", ""},
    {"gpu-bind", Value, Ignored, false, "", ""},
    {"gpu-freq", Value, Ignored, false, "", ""},
    {"gpus-per-socket", Value, Ignored, false, "", ""},
    {"gres-flags", Value, Ignored, false, "", ""},
    {"hint", Value, Ignored, false, "", ""},
    {"licenses,L", Value, Ignored, false, "", ""},
    {"mail-type", Value, Ignored, false, "", ""},
    {"mail-user", Value, Ignored, false, "", ""},
    {"mcs-label", Value, Ignored, false, "", ""},
    {"mem-bind", Value, Ignored, false, "", ""},
    {"mincpus", Value, Ignored, false, "", ""},
    {"network", Value, Ignored, false, "", ""},
    {"nodefile,F", Value, Ignored, false, "", ""},
    {"ntasks-per-core", Value, Ignored, false, "", ""},
    {"ntasks-per-gpu", Value, Ignored, false, "", ""},
    {"ntasks-per-socket", Value, Ignored, false, "", ""},
    {"overcommit,O", Nothing, Ignored, false, "", ""},
    {"oversubscribe,share,s", Nothing, Ignored, false, "", ""},
    {"power", Value, Ignored, false, "", ""},
    {"prefer", Value, Ignored, false, "", ""},
    {"profile", Value, Ignored, false, "", ""},
    {"propagate", Optional, Ignored, false, "", ""},
    {"qos,q", Value, Ignored, false, "", ""},
    {"reboot", Nothing, Ignored, false, "", ""},
    {"reservation", Value, Ignored, false, "", ""},
    {"sockets-per-node", Value, Ignored, false, "", ""},
    {"spread-job", Nothing, Ignored, false, "", ""},
    {"switches", Value, Ignored, false, "", ""},
    {"thread-spec", Value, Ignored, false, "", ""},
    {"threads-per-core", Value, Ignored, false, "", ""},
    {"time-min", Value, Ignored, false, "", ""},
    {"tmp", Value, Ignored, false, "", ""},
    {"tres-per-task", Value, Ignored, false, "", ""},
    {"wckey", Value, Ignored, false, "", ""},
    // Never accepted: running something else than what was asked for would be worse.
    {"array,a", Value, Refused, false, "",
     "job arrays are not supported yet; submit the tasks one by one, for example: "
     "for i in $(seq 0 9); do hsub --export=ALL,TASK=$i script.sh; done"},
    {"uid", Value, Privileged, false, "", ""},
    {"gid", Value, Privileged, false, "", ""},
    {"prolog", Value, Privileged, false, "", ""},
    {"epilog", Value, Privileged, false, "", ""},
};
// clang-format on

boost::program_options::options_description describe() {
  boost::program_options::options_description description;
  for (const SubmitOption& option : kTable) {
    const char* argument = *option.argument == '\0' ? "VALUE" : option.argument;
    switch (option.takes) {
      case OptionTakes::Nothing:
        option_without_value(description, option.names, option.help);
        break;
      case OptionTakes::Value:
        option_with_value(description, option.names, argument, option.help);
        break;
      case OptionTakes::Optional:
        option_with_optional_value(description, option.names, argument, option.help);
        break;
    }
  }
  return description;
}

}  // namespace

std::string SubmitOption::name() const {
  const std::string all = names;
  return all.substr(0, all.find(','));
}

const std::vector<SubmitOption>& submit_option_table() { return kTable; }

const SubmitOption* find_submit_option(const std::string& name) {
  for (const SubmitOption& option : kTable) {
    if (option.name() == name) return &option;
  }
  return nullptr;
}

const boost::program_options::options_description& submit_option_description() {
  static const boost::program_options::options_description description = describe();
  return description;
}

}  // namespace hyades
