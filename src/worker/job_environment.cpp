#include "worker/job_environment.hpp"

#include <map>

#include "step/mpi_variables.hpp"
#include "worker/slurm_environment.hpp"

namespace hyades {
namespace {

using Variables = std::map<std::string, std::string>;

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

// What makes a plain mpirun (Open MPI's) start its ranks by us, on the job's nodes.
void add_mpi(const LaunchOrder& order, const JobEnvironment& where, Variables& out) {
  if (order.spec.uid == 0) {
    out["OMPI_ALLOW_RUN_AS_ROOT"] = out["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  }
  // It counts cores from 0, whichever are the job's: the ranks of all jobs would meet there.
  out["OMPI_MCA_hwloc_base_binding_policy"] = "none";
  if (where.program_directory.empty()) return;
  // With SLURM_* about, for scripts written for Slurm, it would ask Slurm for nodes and srun for a
  // start.
  out["OMPI_MCA_plm"] = "rsh";
  out["OMPI_MCA_ras"] = "^slurm";
  out["OMPI_MCA_plm_rsh_agent"] = where.program_directory + "/hrsh";
  if (where.step_file.empty()) {
    out["OMPI_MCA_orte_set_default_slots"] = std::to_string(order.own_share().tasks);
    return;
  }
  out["HYADES_STEP_FILE"] = where.step_file;
  out["OMPI_MCA_orte_default_hostfile"] = where.mpi_hostfile;
  // Agents that live as long as their daemons: by default mpirun has no more than 128 at a time,
  // and lets daemons start others from a fan-out of 64 on, which only this node can.
  const std::size_t nodes = order.placement.shares.size();
  if (nodes > 64) {
    out["OMPI_MCA_plm_rsh_num_concurrent"] = out["OMPI_MCA_routed_radix"] = std::to_string(nodes);
  }
}

// The one that was submitted.
std::string path_of(const LaunchOrder& order) {
  for (const std::string& variable : order.payload.environment) {
    if (variable.starts_with("PATH=")) return variable.substr(5);
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

}  // namespace

std::string launch_mark(const std::string& cluster_id, const LaunchKey& key) {
  return "HYADES_LAUNCH=" + cluster_id + ':' + to_string(key);
}

std::vector<std::string> job_environment(const LaunchOrder& order, const JobEnvironment& where) {
  Variables ours;
  add_hyades(order, where, ours);
  add_devices(order.own_share(), ours);
  add_mpi(order, where, ours);
  const bool for_slurm = has_slurm_directives(order.payload.script);
  if (for_slurm) add_slurm_variables(order, ours);
  if (for_slurm && !where.program_directory.empty()) {
    ours["PATH"] = where.program_directory + "/hyades-slurm:" + path_of(order);
  }
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
