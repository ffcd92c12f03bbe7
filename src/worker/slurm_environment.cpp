#include "worker/slurm_environment.hpp"

#include <utility>
#include <vector>

#include "step/step_layout.hpp"

namespace hyades {
namespace {

using Variables = std::map<std::string, std::string>;

void add_twins(Variables& out) {
  static const std::pair<const char*, const char*> twins[] = {
      {"SLURM_JOB_ID", "HYADES_JOB_ID"},
      {"SLURM_JOBID", "HYADES_JOB_ID"},
      {"SLURM_JOB_NAME", "HYADES_JOB_NAME"},
      {"SLURM_NNODES", "HYADES_NNODES"},
      {"SLURM_JOB_NUM_NODES", "HYADES_NNODES"},
      {"SLURM_NTASKS", "HYADES_NTASKS"},
      {"SLURM_NPROCS", "HYADES_NTASKS"},
      {"SLURM_CPUS_ON_NODE", "HYADES_CPUS_ON_NODE"},
      {"SLURM_SUBMIT_DIR", "HYADES_SUBMIT_DIR"},
      {"SLURM_JOB_PARTITION", "HYADES_QUEUE"},
      {"SLURM_RESTART_COUNT", "HYADES_RESTART_COUNT"},
      {"SLURM_CLUSTER_NAME", "HYADES_CLUSTER"},
      {"SLURMD_NODENAME", "HYADES_NODENAME"},
  };
  for (const auto& [slurm, hyades] : twins) out[slurm] = out[hyades];
}

void add_nodes(const Placement& placement, Variables& out) {
  std::vector<std::string> names;
  std::vector<int> tasks;
  std::vector<int> cores;
  for (const NodeShare& share : placement.shares) {
    names.push_back(share.node);
    tasks.push_back(share.tasks);
    cores.push_back(share.cores.size());
  }
  // In the order of the ranks: scripts take the first for their master.
  out["SLURM_JOB_NODELIST"] = out["SLURM_NODELIST"] = ordered_hostlist(names);
  out["SLURM_TASKS_PER_NODE"] = counts_per_node(tasks);
  out["SLURM_JOB_CPUS_PER_NODE"] = counts_per_node(cores);
}

// What sbatch sets only for who asked for it: scripts tell by it whether.
void add_what_was_asked(const JobSpec& spec, Variables& out) {
  const auto add = [&](const char* name, std::int64_t value, std::int64_t usual) {
    if (value != usual) out[name] = std::to_string(value);
  };
  add("SLURM_CPUS_PER_TASK", spec.cpus_per_task, 1);
  add("SLURM_NTASKS_PER_NODE", spec.tasks_per_node, 0);
  add("SLURM_MEM_PER_NODE", spec.memory_per_node_mib, 0);
  add("SLURM_MEM_PER_CPU", spec.memory_per_cpu_mib, 0);
  for (const DeviceCount& device : spec.devices_per_node) {
    if (device.kind != "gpu") continue;
    out["SLURM_GPUS_ON_NODE"] = std::to_string(device.count);
    out["SLURM_JOB_GPUS"] = out["HYADES_GPUS"];
  }
}

}  // namespace

bool has_slurm_directives(std::string_view script) {
  return script.starts_with("#SBATCH") || script.find("\n#SBATCH") != script.npos;
}

void add_slurm_variables(const LaunchOrder& order, Variables& variables) {
  add_twins(variables);
  add_nodes(order.placement, variables);
  add_what_was_asked(order.spec, variables);
  variables["SLURM_JOB_USER"] = order.spec.user;
  variables["SLURM_JOB_UID"] = std::to_string(order.spec.uid);
  variables["SLURM_JOB_GID"] = std::to_string(order.spec.gid);
  for (const char* zero : {"SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"}) {
    variables[zero] = std::to_string(0);  // not a literal: GCC 12 warns of its own code
  }
}

}  // namespace hyades
