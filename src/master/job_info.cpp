#include "master/job_info.hpp"

#include <algorithm>

#include "wire/codec.hpp"

namespace hyades {

namespace {

// What the two kinds of job have in common.
void fill_spec(const JobSpec& spec, pb::JobInfo& out) {
  out.set_name(spec.name);
  out.set_user(spec.user);
  out.set_uid(spec.uid);
  out.set_queue(spec.queue);
  out.set_tasks(spec.tasks);
  out.set_cpus_per_task(spec.cpus_per_task);
  out.set_memory_mib(spec.memory_per_node_mib);
  out.set_time_limit_s(spec.time_limit_s);
  out.set_priority(spec.priority);
  out.set_work_class(spec.work_class);
  out.set_elastic(spec.elastic);
  out.set_power_margin(spec.power_margin);
  for (const DeviceCount& device : spec.devices_per_node) {
    pb::DeviceCount& added = *out.add_devices_per_node();
    added.set_kind(device.kind);
    added.set_count(device.count);
  }
}

// Who asked by the core asked for so much on a node; known once it is known how many cores that is.
void fill_memory_by_core(const JobSpec& spec, pb::JobInfo& out) {
  if (spec.memory_per_node_mib > 0 || spec.memory_per_cpu_mib == 0 || out.cores() == 0) return;
  const std::int64_t nodes = std::max(1, out.node_count());
  out.set_memory_mib(spec.memory_per_cpu_mib * ((out.cores() + nodes - 1) / nodes));
}

void fill_usage(const Usage& usage, pb::JobInfo& out) { to_pb(usage, *out.mutable_usage()); }

}  // namespace

StateWords state_words(const Controller& controller, const Job& job) {
  if (controller.fate_unknown(job)) return {"UNKNOWN", "?"};
  if (controller.completing(job)) return {"COMPLETING", "CG"};
  return {state_name(job.phase, job.outcome), state_code(job.phase, job.outcome)};
}

void fill_job_info(const Controller& controller, const Job& job, const Now& now, pb::JobInfo& out) {
  out.set_id(job.id);
  fill_spec(job.spec, out);
  const StateWords state = state_words(controller, job);
  out.set_state(std::string(state.name));
  out.set_state_code(std::string(state.code));
  if (job.phase == JobPhase::Pending) {
    out.set_reason(std::string(to_string(controller.pending_reason(job, now.wall_ms))));
    out.set_last_reason(job.reason);
    out.set_expected_start_ms(std::max(controller.expected_start_ms(job.id),
                                       job.not_before_ms > now.wall_ms ? job.not_before_ms : 0));
  } else {
    const std::string fate = controller.fate(job, now);
    out.set_reason(fate.empty() ? job.reason : fate);
    out.set_start_reason(std::string(to_string(job.why)));
  }
  out.set_node_count(job.placed() ? static_cast<int>(job.placement.shares.size())
                                  : std::max(1, job.spec.nodes));
  out.set_node_names(job.placement.node_names());
  out.set_cores(job.placement.cores());
  fill_memory_by_core(job.spec, out);
  out.set_submit_ms(job.submitted_ms);
  out.set_start_ms(job.started_ms);
  out.set_attempts(job.attempts);
  out.set_restarts(job.restarts);
  out.set_held(job.held);
  for (const NodeLoan& loan : job.loans) {
    pb::NodeLoan& added = *out.add_loans();
    added.set_node(loan.node);
    added.set_cores(loan.loan.cores.to_string());
    added.set_why(loan.loan.why);
    added.set_since_ms(loan.since_ms);
  }
  for (const NodeCap& cap : job.caps) {
    pb::NodeCap& added = *out.add_caps();
    added.set_node(cap.node);
    added.set_percent(cap.cap.percent);
    added.set_why(cap.cap.why);
    added.set_since_ms(cap.since_ms);
  }
  out.set_power_obstacle(controller.power_obstacle(job));
  for (const Dependency& dependency : job.unmet) to_pb(dependency, *out.add_dependencies());
}

void fill_job_info(const StoredJob& job, pb::JobInfo& out) {
  out.set_id(job.id);
  fill_spec(job.spec, out);
  out.set_state(std::string(state_name(job.phase, job.outcome)));
  out.set_state_code(std::string(state_code(job.phase, job.outcome)));
  out.set_reason(job.reason);
  out.set_exit_code(job.exit_code);
  out.set_exit_signal(job.signal);
  out.set_node_count(std::max(1, job.node_count));
  out.set_node_names(job.node_names);
  out.set_cores(job.cores);
  fill_memory_by_core(job.spec, out);
  out.set_submit_ms(job.submit_ms);
  out.set_start_ms(job.start_ms);
  out.set_end_ms(job.end_ms);
  out.set_attempts(job.attempts);
  out.set_restarts(job.restarts);
  out.set_held(job.held);
  if (job.attempts > 0) out.set_start_reason(std::string(to_string(job.start_reason)));
  fill_usage(job.usage, out);
}

const char* node_state(const Node& node) {
  if (!node.responding) return node.drained ? "drained" : "down";
  if (node.drained) return node.jobs > 0 ? "draining" : "drained";
  if (node.jobs == 0) return "idle";
  return node.free_cores.empty() ? "allocated" : "mixed";
}

namespace {

std::string down_reason(const Node& node) {
  if (node.responding) return "";
  std::string text =
      node.last_heard_ms == 0 ? "not heard since the master started" : "does not respond";
  if (node.fencing) text += "; its power is being cut";
  if (!node.fence_trouble.empty()) text += "; fence_command failed: " + node.fence_trouble;
  return text;
}

}  // namespace

void fill_node_info(const Controller& controller, const Node& node, const Now& now,
                    pb::NodeInfo& out) {
  out.set_name(node.name);
  out.set_state(node_state(node));
  out.set_responding(node.responding);
  to_pb(node.inventory, *out.mutable_inventory());
  out.set_free_cores(node.free_cores.size());
  out.set_free_memory_mib(node.free_memory_mib);
  out.set_jobs(node.jobs);
  out.set_reason(node.drain_reason);
  out.set_drained_by(node.drained_by);
  out.set_drained_ms(node.drained_ms);
  out.set_worker_pid(node.worker_pid);
  if (node.last_heard_ms != 0)
    out.set_last_heard_ms(now.wall_ms - (now.boot_ms - node.last_heard_ms));
  out.set_down_reason(down_reason(node));
  if (node.profile) to_pb(*node.profile, *out.mutable_profile());
  for (const QueueConfig& queue : controller.config().queues) {
    const auto& nodes = queue.nodes;
    if (nodes.empty() || std::find(nodes.begin(), nodes.end(), node.name) != nodes.end()) {
      out.add_queues(queue.name);
    }
  }
}

void fill_queue_info(const Controller& controller, const QueueConfig& queue, bool is_default,
                     pb::QueueInfo& out) {
  out.set_name(queue.name);
  out.set_is_default(is_default);
  out.set_enabled(queue.enabled);
  out.set_priority(queue.priority);
  out.set_policy(std::string(to_string(queue.order)));
  out.set_backfill(std::string(to_string(queue.backfill)));
  out.set_default_time_s(queue.default_time_s);
  out.set_max_time_s(queue.max_time_s);
  out.set_lease_s(queue.lease_s);
  out.set_work_class(queue.work_class);
  out.set_elastic(queue.elastic);
  out.set_power_margin(queue.power_margin);
  out.set_max_nodes_per_job(queue.max_nodes_per_job);
  out.set_max_queued_per_user(queue.max_queued_per_user);
  out.set_max_running_per_user(queue.max_running_per_user);
  out.set_max_cores_per_user(queue.max_cores_per_user);
  for (const std::string& node : queue.nodes) out.add_nodes(node);
  int pending = 0;
  int running = 0;
  for (const auto& [id, job] : controller.jobs().all()) {
    if (job.spec.queue != queue.name) continue;
    ++(job.placed() ? running : pending);
  }
  out.set_pending(pending);
  out.set_running(running);
}

}  // namespace hyades
