#include "step/step_layout.hpp"

#include <algorithm>
#include <set>

#include "core/hostlist.hpp"

namespace hyades {
namespace {

std::string count_of(int count, const char* what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

std::vector<std::string> names_of(const std::vector<StepNode>& nodes) {
  std::vector<std::string> names;
  for (const StepNode& node : nodes) names.push_back(node.node);
  return names;
}

bool choose_listed(const StepFile& job, const std::vector<std::string>& list,
                   std::vector<StepNode>& chosen, std::string& error) {
  std::set<std::string> wanted(list.begin(), list.end());
  for (const StepNode& node : job.nodes) {
    if (wanted.erase(node.node) > 0) chosen.push_back(node);
  }
  if (wanted.empty()) return true;
  error = "node " + *wanted.begin() + " is not among the nodes of job " +
          std::to_string(job.key.job) + ": " + compress_hostlist(names_of(job.nodes));
  return false;
}

// The nodes that the step may use, each with as many tasks as it may have.
bool choose_nodes(const StepFile& job, const StepRequest& request, std::vector<StepNode>& chosen,
                  std::string& error) {
  if (request.node_list.empty()) {
    chosen = job.nodes;
  } else if (!choose_listed(job, request.node_list, chosen, error)) {
    return false;
  }
  const auto count = static_cast<int>(chosen.size());
  if (request.nodes > count) {
    error = "--nodes=" + std::to_string(request.nodes) + ", but " +
            (request.node_list.empty() ? "the job has " : "--nodelist names ") +
            count_of(count, "node");
    return false;
  }
  if (request.nodes > 0) chosen.resize(static_cast<std::size_t>(request.nodes));
  for (StepNode& node : chosen) {
    if (request.tasks_per_node > node.tasks) {
      error = "--ntasks-per-node=" + std::to_string(request.tasks_per_node) + ", but the job has " +
              count_of(node.tasks, "task") + " on node " + node.node +
              "; ask hsub for more with --ntasks or --ntasks-per-node";
      return false;
    }
    if (request.tasks_per_node > 0) node.tasks = request.tasks_per_node;
  }
  return true;
}

}  // namespace

bool lay_out_step(const StepFile& job, const StepRequest& request, std::vector<StepShare>& shares,
                  std::string& error) {
  std::vector<StepNode> chosen;
  if (!choose_nodes(job, request, chosen, error)) return false;
  int room = 0;
  for (const StepNode& node : chosen) room += node.tasks;
  const int tasks = request.tasks > 0 ? request.tasks : room;
  if (tasks > room || tasks == 0) {
    error = "the step asks for " + count_of(tasks, "task") + ", but there " +
            (room == 1 ? "is" : "are") + " only " + std::to_string(room) + " on " +
            compress_hostlist(names_of(chosen)) + "; ask hsub for more with --ntasks";
    return false;
  }
  if (request.nodes > tasks) {
    error = "--nodes=" + std::to_string(request.nodes) + " with only " + count_of(tasks, "task");
    return false;
  }
  // What must stay for the nodes behind: one each when their number was asked for.
  int reserved = request.nodes;
  int rank = 0;
  for (const StepNode& node : chosen) {
    if (reserved > 0) --reserved;
    const int here = std::min(node.tasks, tasks - rank - reserved);
    if (here <= 0) continue;
    shares.push_back({node, rank, here});
    rank += here;
  }
  return true;
}

std::string counts_per_node(const std::vector<int>& counts) {
  std::string text;
  for (std::size_t i = 0; i < counts.size();) {
    std::size_t end = i;
    while (end < counts.size() && counts[end] == counts[i]) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(counts[i]);
    if (end - i > 1) text += "(x" + std::to_string(end - i) + ")";
    i = end;
  }
  return text;
}

std::string ordered_hostlist(const std::vector<std::string>& names) {
  const std::string compressed = compress_hostlist(names);
  std::vector<std::string> expanded;
  std::string error;
  if (expand_hostlist(compressed, expanded, error) && expanded == names) return compressed;
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace hyades
