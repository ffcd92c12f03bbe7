#include "worker/job_environment.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace hyades {
namespace {

using Variables = std::map<std::string, std::string>;

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

bool has_slurm_directives(std::string_view script) {
  return script.starts_with("#SBATCH") || script.find("\n#SBATCH") != script.npos;
}

// "2(x3),1": how many tasks each node has, equal neighbours together.
std::string tasks_per_node(const Placement& placement) {
  std::string text;
  const auto& shares = placement.shares;
  for (std::size_t i = 0; i < shares.size();) {
    std::size_t end = i;
    while (end < shares.size() && shares[end].tasks == shares[i].tasks) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(shares[i].tasks);
    if (end - i > 1) text += "(x" + std::to_string(end - i) + ")";
    i = end;
  }
  return text;
}

void add_hyades(const LaunchOrder& order, const JobEnvironment& where, Variables& out) {
  const NodeShare& share = order.own_share();
  out["HYADES_JOB_ID"] = std::to_string(order.key.job);
  out["HYADES_JOB_NAME"] = order.spec.name;
  out["HYADES_NODELIST"] = order.placement.node_names();
  out["HYADES_NODENAME"] = share.node;
  out["HYADES_NNODES"] = std::to_string(order.placement.shares.size());
  out["HYADES_NTASKS"] = std::to_string(order.spec.tasks);
  out["HYADES_CPUS_PER_TASK"] = std::to_string(order.spec.cpus_per_task);
  out["HYADES_CPUS_ON_NODE"] = std::to_string(share.cores.size());
  out["HYADES_CORES"] = share.cores.to_string();
  out["HYADES_MEM_PER_NODE"] = std::to_string(share.memory_mib);
  out["HYADES_QUEUE"] = order.spec.queue;
  out["HYADES_SUBMIT_DIR"] = order.payload.working_directory;
  out["HYADES_RESTART_COUNT"] = std::to_string(order.restarts);
  out["HYADES_ATTEMPT"] = std::to_string(order.key.attempt);
  out["HYADES_TIME_LIMIT_S"] = std::to_string(order.spec.time_limit_s);
  out["HYADES_CLUSTER"] = order.cluster;
  out["HYADES_DIR"] = where.state_directory;
  const std::string mark = launch_mark(where.cluster_id, order.key);
  out["HYADES_LAUNCH"] = mark.substr(mark.find('=') + 1);
}

void add_devices(const NodeShare& share, Variables& out) {
  for (const DeviceGrant& grant : share.devices) {
    if (grant.kind != "gpu") continue;
    std::string list;
    for (int id : grant.ids.members()) list += (list.empty() ? "" : ",") + std::to_string(id);
    out["HYADES_GPUS"] = list;
    out["CUDA_VISIBLE_DEVICES"] = list;
    out["ROCR_VISIBLE_DEVICES"] = list;
  }
}

// After add_hyades: the twins take their values from there.
void add_slurm(const LaunchOrder& order, Variables& out) {
  static const std::pair<const char*, const char*> twins[] = {
      {"SLURM_JOB_ID", "HYADES_JOB_ID"},
      {"SLURM_JOBID", "HYADES_JOB_ID"},
      {"SLURM_JOB_NAME", "HYADES_JOB_NAME"},
      {"SLURM_JOB_NODELIST", "HYADES_NODELIST"},
      {"SLURM_NODELIST", "HYADES_NODELIST"},
      {"SLURM_NNODES", "HYADES_NNODES"},
      {"SLURM_JOB_NUM_NODES", "HYADES_NNODES"},
      {"SLURM_NTASKS", "HYADES_NTASKS"},
      {"SLURM_CPUS_PER_TASK", "HYADES_CPUS_PER_TASK"},
      {"SLURM_CPUS_ON_NODE", "HYADES_CPUS_ON_NODE"},
      {"SLURM_SUBMIT_DIR", "HYADES_SUBMIT_DIR"},
      {"SLURM_JOB_PARTITION", "HYADES_QUEUE"},
      {"SLURM_RESTART_COUNT", "HYADES_RESTART_COUNT"},
      {"SLURMD_NODENAME", "HYADES_NODENAME"},
  };
  for (const auto& [slurm, hyades] : twins) out[slurm] = out[hyades];
  out["SLURM_TASKS_PER_NODE"] = tasks_per_node(order.placement);
  for (const char* zero : {"SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"}) out[zero] = "0";
}

}  // namespace

std::string launch_mark(const std::string& cluster_id, const LaunchKey& key) {
  return "HYADES_LAUNCH=" + cluster_id + ':' + to_string(key);
}

bool belongs_to_outer_mpi(const std::string& variable) {
  const std::string_view name = std::string_view(variable).substr(0, variable.find('='));
  return starts_with_any(name, {"OMPI_", "PMIX_", "ORTE_", "PRTE_", "OPAL_", "PMI_", "HYDRA_",
                                "I_MPI_HYDRA_"}) ||
         name == "HFI_NO_BACKTRACE" || name == "IPATH_NO_BACKTRACE" || name == "PSM2_DEVICES";
}

std::vector<std::string> job_environment(const LaunchOrder& order, const JobEnvironment& where) {
  Variables ours;
  add_hyades(order, where, ours);
  add_devices(order.own_share(), ours);
  if (has_slurm_directives(order.payload.script)) add_slurm(order, ours);
  std::vector<std::string> result;
  bool has_threads = false;
  for (const std::string& variable : order.payload.environment) {
    if (belongs_to_outer_mpi(variable)) continue;
    if (ours.contains(variable.substr(0, variable.find('=')))) continue;
    has_threads = has_threads || variable.starts_with("OMP_NUM_THREADS=");
    result.push_back(variable);
  }
  if (!has_threads) ours["OMP_NUM_THREADS"] = std::to_string(order.spec.cpus_per_task);
  for (const auto& [name, value] : ours) result.push_back(name + '=' + value);
  return result;
}

}  // namespace hyades
