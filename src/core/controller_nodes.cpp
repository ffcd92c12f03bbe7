// What nodes say, and the orders they get.
#include <algorithm>

#include "core/controller.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

namespace {
constexpr BootMs kRepeatAtMost_ms = 30'000;
constexpr WallMs kBackoff_ms = 1'000;  // doubled with every launch that fails in a row
}  // namespace

// ---- greetings --------------------------------------------------------------------------------

void Controller::on(PeerId from, const Hello& hello, const Now& now, Step& out) {
  if (std::string why = refuse_hello(from, hello); !why.empty()) {
    out.outgoing.push_back({from, {epoch_, Welcome{false, std::move(why)}}});
    return;
  }
  define_node(hello, now, out);
  Node& node = *cluster_.find(hello.node);
  peers_[from] = hello.node;
  node.peer = from;
  node.worker_pid = hello.pid;
  node.last_heard_ms = now.boot_ms;
  node.responding = true;
  dirty_ = true;
  out.outgoing.push_back({from, {epoch_, Welcome{true, ""}}});
  for (const LaunchReport& report : hello.launches) on(from, report, now, out);
  reconcile(hello, now, out);
}

// True when the job's node has been booted since the job was placed there.
bool Controller::rebooted_since(const Job& job) const {
  const NodeShare& share = job.placement.shares.front();
  const Node* const node = cluster_.find(share.node);
  return node != nullptr && node->boot_id != share.boot_id && !HYADES_DEFECT("ignore_reboot");
}

std::string Controller::refuse_hello(PeerId from, const Hello& hello) const {
  const auto& known = config_->nodes;
  const bool listed = known.empty() || std::any_of(known.begin(), known.end(), [&](const auto& n) {
                        return n.name == hello.node;
                      });
  if (!listed) return "node '" + hello.node + "' is not in the configuration";
  const Node* const node = cluster_.find(hello.node);
  if (node != nullptr && node->responding && node->peer != 0 && node->peer != from) {
    return "node '" + hello.node + "' already has a worker, process " +
           std::to_string(node->worker_pid);
  }
  return "";
}

// Merges what the worker found with what the configuration says; less than promised drains.
void Controller::define_node(const Hello& hello, const Now& now, Step& out) {
  Inventory inventory = hello.inventory;
  std::string mismatch;
  for (const NodeConfig& config : config_->nodes) {
    if (config.name != hello.node) continue;
    const Inventory& said = config.inventory;
    if (said.memory_mib > inventory.memory_mib) {
      mismatch = "the configuration promises " + std::to_string(said.memory_mib) +
                 " MiB of memory, the node has " + std::to_string(inventory.memory_mib);
    }
    if (said.cores > 0) inventory.cores = said.cores;
    if (said.memory_mib > 0) inventory.memory_mib = said.memory_mib;
    if (!said.devices.empty()) inventory.devices = said.devices;
    inventory.features.insert(inventory.features.end(), said.features.begin(), said.features.end());
    std::sort(inventory.features.begin(), inventory.features.end());
    inventory.features.erase(std::unique(inventory.features.begin(), inventory.features.end()),
                             inventory.features.end());
  }
  const Node* const node = cluster_.find(hello.node);
  if (node == nullptr || node->inventory != inventory || node->boot_id != hello.boot_id) {
    if (!cluster_.define(hello.node, inventory)) {
      mismatch = "the node came back with less than its running jobs hold";
      inventory = node->inventory;
    }
    const NodeDefined defined{inventory, hello.boot_id};
    out.batch.node_events.push_back({hello.node, now.wall_ms, defined});
    apply(out.batch.node_events.back());
  }
  if (!mismatch.empty() && !cluster_.find(hello.node)->drained) {
    drain_node(hello.node, mismatch, "hyades", now, out);
  }
}

// Jobs that we placed on the node and that its spool does not know.
void Controller::reconcile(const Hello& hello, const Now& now, Step& out) {
  for (const JobId id : std::vector<JobId>(placed_.begin(), placed_.end())) {
    const Job& job = *jobs_.find(id);
    if (job.placement.shares.front().node != hello.node) continue;
    const bool known = std::any_of(hello.launches.begin(), hello.launches.end(),
                                   [&](const auto& report) { return report.key == job.key; });
    if (!known) send_orders(job, now, out);
  }
}

void Controller::remember_nodes(const Controller& other) {
  first_tick_ms_ = other.first_tick_ms_;
  for (Node& node : cluster_.nodes()) {
    const Node* const before = other.cluster_.find(node.name);
    if (before == nullptr) continue;
    node.responding = before->responding;
    node.last_heard_ms = before->last_heard_ms;
    node.peer = before->peer;
    node.worker_pid = before->worker_pid;
    node.launch_faults = before->launch_faults;
  }
}

// ---- reports ----------------------------------------------------------------------------------

void Controller::on(PeerId from, const LaunchReport& report, const Now& now, Step& out) {
  const Job* const job = jobs_.find(report.key.job);
  const bool current = job != nullptr && job->placed() &&
                       (job->key == report.key || HYADES_DEFECT("no_attempt_check")) &&
                       job->placement.shares.front().node == peers_[from];
  if (!current) {
    stray(from, report, out);
    return;
  }
  switch (report.state) {
    case LaunchState::Starting:
      answered(*job, now, out);
      return;
    case LaunchState::Running:
      if (job->phase == JobPhase::Launching) {
        record(job->id, Started{job->key, report.started_ms}, now, out);
        cluster_.find(peers_[from])->launch_faults = 0;
        settle_dependents({job->id, false, Outcome::None}, now, out);
      }
      answered(*job, now, out);
      return;
    case LaunchState::Exited:
      finish_exited(*job, report, now, out);
      break;
    case LaunchState::NeverStarted:
      finish_unstarted(*job, report, now, out);
      break;
    case LaunchState::Lost:
      finish_lost(*job, report, now, out);
      break;
    case LaunchState::Absent:
      if (job->phase == JobPhase::Running || rebooted_since(*job)) {
        finish_lost(*job, report, now, out);
      } else {
        finish_unstarted(*job, report, now, out);
      }
      return;
  }
  out.outgoing.push_back({from, {epoch_, RetireOrder{report.key}}});
}

// The launch is there and alive: no order is open, unless it is to be stopped. A stop may have been
// recorded by a master that died before it could send the order.
void Controller::answered(const Job& job, const Now& now, Step& out) {
  if (!job.cancel_requested && !job.requeue_requested) {
    unanswered_.erase(job.id);
  } else if (!unanswered_.contains(job.id) && !HYADES_DEFECT("forget_stop")) {
    send_orders(job, now, out);
  }
}

// The one place at which reports on anything but the current attempt end. Their results are
// committed or meaningless, so the node may forget them; what still runs must not.
void Controller::stray(PeerId from, const LaunchReport& report, Step& out) const {
  if (report.state == LaunchState::Starting || report.state == LaunchState::Running) {
    out.outgoing.push_back({from, {epoch_, StopOrder{report.key, StopReason::Cancelled, 0}}});
  } else if (report.state != LaunchState::Absent) {
    out.outgoing.push_back({from, {epoch_, RetireOrder{report.key}}});
  }
}

void Controller::finish_exited(const Job& job, const LaunchReport& report, const Now& now,
                               Step& out) {
  const ExitRecord& exit = report.exit;
  // Its end may be the first that is heard of a short job.
  if (exit.launch_error.empty())
    cluster_.find(job.placement.shares.front().node)->launch_faults = 0;
  Ended ended{.exit_code = HYADES_DEFECT("lost_exit_code") ? 0 : exit.exit_code,
              .signal = exit.signal,
              .started_ms = exit.started_ms,
              .ended_ms = exit.ended_ms,
              .usage = exit.usage,
              .reason = ""};
  if (!exit.launch_error.empty()) {
    ended.outcome = Outcome::LaunchFailed;
    ended.reason = exit.launch_error;
  } else if (exit.stopped == StopReason::None) {
    const bool well = exit.exit_code == 0 && exit.signal == 0;
    ended.outcome = well ? Outcome::Completed : Outcome::Failed;
  } else if (exit.stopped == StopReason::TimeLimit) {
    ended.outcome = Outcome::TimedOut;
    ended.reason = "stopped at its time limit";
  } else if (exit.stopped == StopReason::Requeue && !job.cancel_requested) {
    record(job.id, Requeued{job.key, job.reason, true, 0, ""}, now, out);
    return;
  } else {
    ended.outcome = Outcome::Cancelled;
    ended.reason = job.reason;
  }
  if (ended.reason.empty() && exit.left_behind > 0) {
    ended.reason = std::to_string(exit.left_behind) +
                   (exit.left_behind == 1 ? " process was" : " processes were") +
                   " still running when the batch script ended, and killed";
  }
  end_job(job.id, std::move(ended), now, out);
}

// The attempt is known never to have started, so another one may.
void Controller::finish_unstarted(const Job& job, const LaunchReport& report, const Now& now,
                                  Step& out) {
  if (job.cancel_requested) {
    end_job(job.id, {.outcome = Outcome::Cancelled, .usage = {}, .reason = job.reason}, now, out);
    return;
  }
  Requeued requeued{.key = job.key, .reason = report.reason, .avoid_node = ""};
  // An order that never arrived says nothing about node or job. A launch that died on the node
  // does: trying again at once, for ever, would help nobody.
  if (report.node_fault || report.state == LaunchState::NeverStarted) {
    const std::string node = job.placement.shares.front().node;
    const int failures = std::min(job.launch_failures, 16);
    requeued.avoid_node = node;
    requeued.not_before_ms = now.wall_ms + std::min<WallMs>(kBackoff_ms << failures, 300'000);
    if (report.node_fault) node_failed_a_launch(node, report.reason, now, out);
  } else if (const int lost = static_cast<int>(job.attempts) - job.restarts; lost > 2) {
    // Nobody's fault, but a node that refuses everything must not keep the master busy.
    requeued.not_before_ms = now.wall_ms + (kBackoff_ms << std::min(lost - 3, 5));
  }
  record(job.id, std::move(requeued), now, out);
  if (job.launch_failures >= config_->max_launch_failures) {
    hold(job, "nodes could not start it: " + report.reason, now, out);
  }
}

// Until an operator has looked at it.
void Controller::hold(const Job& job, const std::string& why, const Now& now, Step& out) {
  record(job.id, HoldChanged{true, true, "hyades: " + why}, now, out);
}

// The attempt had started, its end was not recorded, and nothing of it is left.
void Controller::finish_lost(const Job& job, const LaunchReport& report, const Now& now,
                             Step& out) {
  const std::string node = job.placement.shares.front().node;
  const std::string reason = node + ": " + report.reason;
  Ended ended{.started_ms = job.started_ms, .ended_ms = now.wall_ms, .usage = {}, .reason = reason};
  if (job.cancel_requested) {
    ended.outcome = Outcome::Cancelled;
  } else if (job.spec.requeue || HYADES_DEFECT("ignore_no_requeue")) {
    record(job.id, Requeued{job.key, reason, true, 0, node}, now, out);
    if (job.losses > config_->max_restarts) {
      hold(job, "it was lost " + std::to_string(job.losses) + " times, at last by " + reason, now,
           out);
    }
    return;
  } else {
    ended.outcome = Outcome::NodeFailed;
  }
  end_job(job.id, std::move(ended), now, out);
}

// One fault may be bad luck (a full process table, for a second); several in a row are the node's.
void Controller::node_failed_a_launch(const std::string& name, const std::string& reason,
                                      const Now& now, Step& out) {
  Node& node = *cluster_.find(name);
  if (++node.launch_faults >= config_->max_node_faults && !node.drained) {
    drain_node(name, reason, "hyades", now, out);
  }
}

void Controller::drain_node(const std::string& node, const std::string& reason,
                            const std::string& by, const Now& now, Step& out) {
  out.batch.node_events.push_back({node, now.wall_ms, NodeDrained{reason, by}});
  apply(out.batch.node_events.back());
}

// ---- orders -----------------------------------------------------------------------------------

// Sends what the job's state calls for, and remembers to repeat it until the node reports. A node
// that does not respond gets it when it says hello.
void Controller::send_orders(const Job& job, const Now& now, Step& out) {
  const Node* const node = cluster_.find(job.placement.shares.front().node);
  const bool stop = job.cancel_requested || job.requeue_requested;
  if (node->responding && node->peer != 0) {
    if (stop) {
      const StopReason reason = job.cancel_requested ? StopReason::Cancelled : StopReason::Requeue;
      out.outgoing.push_back(
          {node->peer, {epoch_, StopOrder{job.key, reason, config_->kill_grace_s}}});
    } else if (job.phase == JobPhase::Launching && !rebooted_since(job)) {
      out.outgoing.push_back({node->peer, {epoch_, launch_order(job)}});
    } else {
      out.outgoing.push_back({node->peer, {epoch_, QueryOrder{job.key}}});
    }
  }
  Unanswered& unanswered = unanswered_[job.id];
  unanswered.interval_ms = unanswered.interval_ms == 0
                               ? config_->resend_ms
                               : std::min(unanswered.interval_ms * 2, kRepeatAtMost_ms);
  unanswered.due_ms = now.boot_ms + unanswered.interval_ms;
}

LaunchOrder Controller::launch_order(const Job& job) const {
  return {.key = job.key,
          .spec = job.spec,
          .payload = {},
          .placement = job.placement,
          .share = 0,
          .restarts = job.restarts,
          .kill_grace_s = config_->kill_grace_s,
          .cluster = config_->name};
}

void Controller::check_silence(const Now& now) {
  for (Node& node : cluster_.nodes()) {
    if (node.responding && now.boot_ms - node.last_heard_ms > config_->node_timeout_ms) {
      node.responding = false;
      dirty_ = true;
    }
  }
}

void Controller::repeat_orders(const Now& now, Step& out) {
  if (HYADES_DEFECT("no_resend")) return;
  std::vector<JobId> due;
  for (const auto& [id, unanswered] : unanswered_) {
    if (unanswered.due_ms <= now.boot_ms) due.push_back(id);
  }
  for (const JobId id : due) send_orders(*jobs_.find(id), now, out);
}

}  // namespace hyades
