// Scheduling: what the policy is shown, what becomes of its answer, and what people are told of
// jobs that wait or whose end is not known.
#include <algorithm>
#include <string_view>
#include <unordered_set>

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

const std::vector<char>& Controller::members_of(const Queue& queue) const {
  const auto& nodes = cluster_.nodes();
  if (queue.members.size() == nodes.size() && !nodes.empty()) return queue.members;
  const std::unordered_set<std::string_view> names(queue.config.nodes.begin(),
                                                   queue.config.nodes.end());
  const auto is_member = [&](const std::string& name) {
    return names.empty() || names.contains(name);
  };
  queue.members.clear();
  for (const Node& node : nodes) queue.members.push_back(is_member(node.name));
  queue.some_are_unknown =
      std::any_of(config_->nodes.begin(), config_->nodes.end(), [&](const NodeConfig& node) {
        return is_member(node.name) && cluster_.find(node.name) == nullptr;
      });
  return queue.members;
}

// Those of its nodes that can take new jobs.
std::vector<char> Controller::schedulable_nodes(const Queue& queue) const {
  std::vector<char> usable = members_of(queue);
  const auto& nodes = cluster_.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool ready =
        nodes[i].schedulable() || (HYADES_DEFECT("ignore_drain") && nodes[i].responding);
    usable[i] = usable[i] && ready;
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

std::vector<QueueView> Controller::queue_views() const {
  std::vector<QueueView> views;
  for (const auto& queue : queues_) views.push_back(view_of(*queue, queue->eligible));
  return views;
}

QueueView Controller::view_of(const Queue& queue, const WaitingList& waiting) const {
  QueueView view{.config = &queue.config,
                 .waiting = &waiting,
                 .usable = schedulable_nodes(queue),
                 .busy_since_ms = queue.busy_since_ms,
                 .within_limits = {}};
  if (queue.config.max_running_per_user > 0 || queue.config.max_cores_per_user > 0) {
    view.within_limits = [this, &queue](const Job& job) { return within_limits(queue, job); };
  }
  return view;
}

void Controller::schedule(const Now& now, Step& out) {
  // What the policy wakes for is told once: it must not be lost while nodes are waited for.
  dirty_ = dirty_ || policy_.wakes(now.wall_ms);
  if (!dirty_ || waits_for_nodes(now)) return;
  dirty_ = false;
  reservations_.clear();
  limited_.clear();
  kept_back_.clear();
  patient_.clear();
  const bool nobody = std::all_of(queues_.begin(), queues_.end(),
                                  [](const auto& queue) { return queue->eligible.empty(); });
  if (nobody) return;
  Decision decision = policy_.decide(queue_views(), cluster_view(), now.wall_ms);
  for (const Start& start : decision.starts) start_job(start, now, out);
  for (Reservation& reservation : decision.reservations) {
    reservations_[reservation.job] = std::move(reservation);
  }
  limited_.insert(decision.limited.begin(), decision.limited.end());
  kept_back_.insert(decision.kept_back.begin(), decision.kept_back.end());
  patient_.insert(decision.patient.begin(), decision.patient.end());
}

// A policy proposes; the ledger decides. What it proposes wrongly is left for the next pass.
void Controller::start_job(const Start& start, const Now& now, Step& out) {
  const Job* const job = jobs_.find(start.job);
  if (job == nullptr) return;
  if (!job->eligible(now.wall_ms)) {
    // The clock was set back after the job had become eligible: it waits for its time again.
    if (dequeue(queue_of(job->spec), *job)) {
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
                    .kill_grace_s = config_->kill_grace_s,
                    .policy = start.policy,
                    .chosen_by = start.chosen_by,
                    .place_why = start.place_why};
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
  if (kept_back_.contains(job.id)) return PendingReason::Reserve;
  if (patient_.contains(job.id)) return PendingReason::FasterNodes;
  if (reservations_.contains(job.id)) return PendingReason::Resources;
  const Queue* const queue = find_queue(job.spec.queue);
  if (place(job.spec, cluster_.nodes(), cluster_.whole(), schedulable_nodes(*queue)).empty()) {
    return PendingReason::NodesUnavailable;
  }
  return PendingReason::Priority;
}

WallMs Controller::expected_start_ms(JobId job) const {
  const auto found = reservations_.find(job);
  return found == reservations_.end() ? 0 : found->second.start_ms;
}

std::string Controller::reserved_nodes(JobId job) const {
  const auto found = reservations_.find(job);
  if (found == reservations_.end()) return "";
  std::string names;
  for (const PlannedShare& share : found->second.plan) {
    names +=
        (names.empty() ? "" : ",") + cluster_.nodes()[static_cast<std::size_t>(share.node)].name;
  }
  return names;
}

std::optional<Explanation> Controller::explain(const Job& job, const Now& now) const {
  if (!job.eligible(now.wall_ms)) return std::nullopt;
  return policy_.explain(queue_views(), cluster_view(), job, now.wall_ms);
}

bool Controller::would_start(const Job& job, const JobSpec& asked, const Now& now) const {
  if (!job.eligible(now.wall_ms)) return false;
  Job other = job;
  other.spec = asked;
  const Queue& its = *find_queue(job.spec.queue);
  // One whose time has just come is put there by the next turn.
  bool queued = false;
  its.eligible.each([&](const WaitingJob& each) { queued |= each.id == job.id; });
  if (!queued) return false;
  WaitingList list = its.eligible;
  list.erase(waiting(its, job));
  list.insert(waiting(its, other));
  const Decision decision = plan_with(its, list, now);
  return std::any_of(decision.starts.begin(), decision.starts.end(),
                     [&](const Start& start) { return start.job == job.id; });
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
