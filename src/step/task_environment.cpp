#include "step/task_environment.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "step/mpi_variables.hpp"

namespace hyades {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

void replace(Environment& environment, const Settings& settings) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : settings) names.insert(name);
  std::erase_if(environment,
                [&](const std::string& variable) { return names.count(name_of(variable)) > 0; });
  for (const auto& [name, value] : settings) environment.push_back(name + '=' + value);
}

void add_slurm_step(const StepIdentity& step, int tasks, const std::string& nodes,
                    Settings& settings) {
  std::vector<int> counts;
  for (const StepShare& share : step.shares) counts.push_back(share.tasks);
  const std::string task_count = std::to_string(tasks);
  const std::string node_count = std::to_string(step.shares.size());
  const std::string id = std::to_string(step.step_id);
  const Settings twins = {
      {"SLURM_STEP_ID", id},
      {"SLURM_STEPID", id},
      {"SLURM_STEP_NODELIST", nodes},
      {"SLURM_STEP_NUM_NODES", node_count},
      {"SLURM_STEP_NUM_TASKS", task_count},
      {"SLURM_STEP_TASKS_PER_NODE", counts_per_node(counts)},
      {"SLURM_NNODES", node_count},
      {"SLURM_NTASKS", task_count},
      {"SLURM_NPROCS", task_count},
      {"SLURM_TASKS_PER_NODE", counts_per_node(counts)},
  };
  settings.insert(settings.end(), twins.begin(), twins.end());
}

// Known by each node for itself. What is among them is also what only the first node has.
bool is_of_the_node(std::string_view name) {
  static constexpr std::string_view names[] = {
      "HYADES_NODENAME",       "HYADES_CORES",
      "HYADES_CPUS_ON_NODE",   "HYADES_MEM_PER_NODE",
      "HYADES_GPUS",           "HYADES_LAUNCH",
      "HYADES_REPORT",         "HYADES_STEP_FILE",
      "CUDA_VISIBLE_DEVICES",  "ROCR_VISIBLE_DEVICES",
      "SLURMD_NODENAME",       "SLURM_CPUS_ON_NODE",
      "SLURM_MEM_PER_NODE",    "OMPI_MCA_orte_default_hostfile",
      "OMPI_MCA_plm_rsh_agent"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

std::string_view value_of(const Environment& environment, std::string_view name) {
  for (std::string_view variable : environment) {
    if (name_of(variable) == name && variable.size() > name.size()) {
      return variable.substr(name.size() + 1);
    }
  }
  return "";
}

bool has_slurm_names(const Environment& environment) {
  return !value_of(environment, "SLURM_JOB_ID").empty();
}

Environment step_environment(const Environment& hrun, const StepIdentity& step) {
  Environment result;
  for (const std::string& variable : hrun) {
    if (!belongs_to_launching_mpi(variable)) result.push_back(variable);
  }
  int tasks = 0;
  std::vector<std::string> names;
  for (const StepShare& share : step.shares) {
    tasks += share.tasks;
    names.push_back(share.where.node);
  }
  const std::string nodes = ordered_hostlist(names);
  Settings settings = {{"WORLD_SIZE", std::to_string(tasks)},
                       {"MASTER_ADDR", step.master_address},
                       {"MASTER_PORT", std::to_string(step.master_port)},
                       {"HYADES_STEP_ID", std::to_string(step.step_id)},
                       {"HYADES_STEP_TASKS", std::to_string(tasks)},
                       {"HYADES_STEP_NNODES", std::to_string(names.size())},
                       {"HYADES_STEP_NODELIST", nodes}};
  if (has_slurm_names(hrun)) add_slurm_step(step, tasks, nodes, settings);
  replace(result, settings);
  return result;
}

Environment node_environment(const Environment& step, const Environment& node) {
  Environment result;
  for (const std::string& variable : step) {
    if (!is_of_the_node(name_of(variable))) result.push_back(variable);
  }
  for (const std::string& variable : node) {
    if (is_of_the_node(name_of(variable))) result.push_back(variable);
  }
  std::erase_if(result,
                [](const std::string& variable) { return name_of(variable) == "HYADES_STEP_KEY"; });
  return result;
}

Environment task_environment(const Environment& node, const StartTasks& start, int task) {
  const std::string rank = std::to_string(start.first_rank + task);
  const std::string local_rank = std::to_string(task);
  const std::string node_rank = std::to_string(start.node_rank);
  Settings settings = {{"RANK", rank},
                       {"LOCAL_RANK", local_rank},
                       {"LOCAL_WORLD_SIZE", std::to_string(start.tasks)},
                       {"NODE_RANK", node_rank},
                       {"HYADES_PROCID", rank},
                       {"HYADES_LOCALID", local_rank},
                       {"HYADES_NODEID", node_rank}};
  if (start.slurm_names) {
    settings.insert(
        settings.end(),
        {{"SLURM_PROCID", rank}, {"SLURM_LOCALID", local_rank}, {"SLURM_NODEID", node_rank}});
  }
  Environment result = node;
  replace(result, settings);
  return result;
}

}  // namespace hyades
