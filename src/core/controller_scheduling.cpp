// Scheduling: what the policy is shown, what becomes of its answer, and what people are told of
// jobs that wait or whose end is not known.
#include <algorithm>

#include "core/controller.hpp"
#include "core/test_hooks.hpp"
#include "core/units.hpp"

namespace hyades {

// After a restart nodes come back one by one. Starting jobs on the first of them would hand the
// places of large jobs to small ones behind them.
bool Controller::waits_for_nodes(const Now& now) const {
  if (first_tick_ms_ < 0 || now.boot_ms - first_tick_ms_ >= config_->node_timeout_ms) return false;
  const auto& nodes = cluster_.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [](const Node& node) {
    return !node.responding && !node.drained && node.peer == 0;
  });
}

std::vector<char> Controller::usable_nodes(const QueueConfig& queue,
                                           bool must_be_schedulable) const {
  std::vector<char> usable;
  for (const Node& node : cluster_.nodes()) {
    const auto& names = queue.nodes;
    const bool member =
        names.empty() || std::find(names.begin(), names.end(), node.name) != names.end();
    const bool ready = node.schedulable() || (HYADES_DEFECT("ignore_drain") && node.responding);
    usable.push_back(member && (ready || !must_be_schedulable));
  }
  return usable;
}

bool Controller::within_limits(const Queue& queue, const Job& job) const {
  if (HYADES_DEFECT("skip_limits")) return true;
  const auto found = queue.users.find(job.spec.uid);
  if (found == queue.users.end()) return true;
  const QueueConfig& limits = queue.config;
  const UserCounts& user = found->second;
  if (limits.max_running_per_user > 0 && user.running >= limits.max_running_per_user) return false;
  const int cores = job.spec.tasks * job.spec.cpus_per_task;
  return limits.max_cores_per_user == 0 || user.cores + cores <= limits.max_cores_per_user;
}

// `extra`, if any, is shown as if it had been submitted last.
std::vector<QueueView> Controller::queue_views(const Job* extra) const {
  std::vector<QueueView> views;
  for (const auto& queue : queues_) {
    const Queue* const q = queue.get();
    const Job* const guest =
        extra != nullptr && extra->spec.queue == q->config.name ? extra : nullptr;
    if (q->eligible.empty() && guest == nullptr) continue;
    QueueView view{.config = &q->config,
                   .usable = usable_nodes(q->config, true),
                   .each = {},
                   .within_limits = {}};
    view.each = [this, q, guest](const std::function<bool(const Job&)>& visit) {
      bool guest_waits = guest != nullptr;
      for (const Place& place : q->eligible) {
        if (guest_waits && place.priority < guest->spec.priority) {
          guest_waits = false;
          if (!visit(*guest)) return;
        }
        if (!visit(*jobs_.find(place.id))) return;
      }
      if (guest_waits) visit(*guest);
    };
    view.within_limits = [this, q](const Job& job) { return within_limits(*q, job); };
    views.push_back(std::move(view));
  }
  return views;
}

ClusterView Controller::cluster_view() const {
  ClusterView view{.cluster = &cluster_, .running = {}};
  for (const JobId id : placed_) {
    const Job& job = *jobs_.find(id);
    view.running.push_back({id, &job.placement, job.expected_end_ms()});
  }
  return view;
}

void Controller::schedule(const Now& now, Step& out) {
  if (!dirty_ || waits_for_nodes(now)) return;
  dirty_ = false;
  reservations_.clear();
  limited_.clear();
  const std::vector<QueueView> queues = queue_views(nullptr);
  if (queues.empty()) return;
  Decision decision = policy_.decide(queues, cluster_view(), now.wall_ms);
  for (const Start& start : decision.starts) start_job(start, now, out);
  for (Reservation& reservation : decision.reservations) {
    reservations_[reservation.job] = std::move(reservation);
  }
  limited_.insert(decision.limited.begin(), decision.limited.end());
}

// A policy proposes; the ledger decides. What it proposes wrongly is left for the next pass.
void Controller::start_job(const Start& start, const Now& now, Step& out) {
  const Job* const job = jobs_.find(start.job);
  if (job == nullptr) return;
  if (!job->eligible(now.wall_ms)) {
    // The clock was set back after the job had become eligible: it waits for its time again.
    if (queue_of(job->spec).eligible.erase({job->spec.priority, job->id}) > 0) {
      begins_.insert({job->not_before_ms, job->id});
      dirty_ = true;
    }
    return;
  }
  if (!within_limits(queue_of(job->spec), *job)) {
    limited_.insert(job->id);
    dirty_ = true;
    return;
  }
  if (!cluster_.fits(job->spec, start.plan) && !HYADES_DEFECT("ignore_drain")) return;
  Assigned assigned{.key = {job->id, job->attempts + 1, next_sequence_++},
                    .epoch = epoch_,
                    .placement = cluster_.choose(job->spec, start.plan),
                    .why = start.why,
                    .kill_grace_s = config_->kill_grace_s};
  send_orders(record(job->id, std::move(assigned), now, out), now, out);
}

PendingReason Controller::pending_reason(const Job& job, WallMs now_ms) const {
  if (job.phase != JobPhase::Pending) return PendingReason::None;
  if (job.held) return job.held_by_admin ? PendingReason::HeldByAdmin : PendingReason::HeldByUser;
  if (!job.unmet.empty()) return PendingReason::Dependency;
  if (job.not_before_ms > now_ms) {
    return job.attempts > 0 ? PendingReason::LaunchBackoff : PendingReason::BeginTime;
  }
  if (limited_.contains(job.id)) return PendingReason::QueueLimit;
  if (reservations_.contains(job.id)) return PendingReason::Resources;
  const Queue* const queue = find_queue(job.spec.queue);
  std::vector<FreeCounts> counts;
  for (const Node& node : cluster_.nodes()) counts.push_back(all_counts(node));
  const auto usable = usable_nodes(queue->config, true);
  if (place(job.spec, cluster_.nodes(), counts, usable).empty()) {
    return PendingReason::NodesUnavailable;
  }
  return PendingReason::Priority;
}

WallMs Controller::expected_start_ms(JobId job) const {
  const auto found = reservations_.find(job);
  return found == reservations_.end() ? 0 : found->second.start_ms;
}

bool Controller::fate_unknown(const Job& job) const {
  if (!job.placed()) return false;
  const Gang& gang = gangs_.at(job.id);
  for (std::size_t i = 0; i < gang.parts.size(); ++i) {
    const Node* const node = cluster_.find(job.placement.shares[i].node);
    if (!gang.parts[i].over && (node == nullptr || !node->responding)) return true;
  }
  return false;
}

std::string Controller::fate(const Job& job, const Now& now) const {
  if (!job.placed()) return "";
  const Gang& gang = gangs_.at(job.id);
  std::string silent;
  std::string fence;
  BootMs lease_ms = 0;
  for (std::size_t i = 0; i < gang.parts.size(); ++i) {
    const Node* const node = cluster_.find(job.placement.shares[i].node);
    if (gang.parts[i].over || (node != nullptr && node->responding)) continue;
    silent += (silent.empty() ? "" : ",") + job.placement.shares[i].node;
    if (node == nullptr) continue;
    if (node->fencing) fence = "; its power is being cut";
    if (!node->fence_trouble.empty()) fence = "; fence_command failed: " + node->fence_trouble;
    if (job.spec.lease_s > 0)
      lease_ms = std::max(lease_ms, lease_over_ms(job, *node) - now.boot_ms);
  }
  if (silent.empty()) return "";
  std::string text =
      silent + " does not respond; settled when it is back, fenced, or confirmed dead";
  if (job.spec.lease_s > 0) {
    text += ", or in " + format_duration(std::max<BootMs>(lease_ms / 1000, 0)) +
            " when the job's lease has run out";
  }
  return text + fence;
}

bool Controller::completing(const Job& job) const {
  return job.placed() && (job.script || gangs_.at(job.id).parts[0].over);
}

}  // namespace hyades
