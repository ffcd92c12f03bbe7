#include "sim/oracle.hpp"

#include <algorithm>

#include "core/cluster.hpp"
#include "sim/oracle_require.hpp"

namespace hyades {

const Oracle::Run* Oracle::JobTruth::run_of(const LaunchKey& key) const {
  for (const Run& run : runs) {
    if (run.key == key) return &run;
  }
  return nullptr;
}

const Oracle::Run* Oracle::JobTruth::living() const {
  for (const Run& run : runs) {
    if (run.alive) return &run;
  }
  return nullptr;
}

const Inventory& Oracle::inventory(const std::string& node) const {
  for (const auto& known : options_.nodes) {
    if (known.name == node) return known.inventory;
  }
  throw Violation("P8 placement", "there is no node " + node);
}

const QueueConfig& Oracle::queue(const JobSpec& spec) const {
  for (const QueueConfig& queue : options_.config->queues) {
    if (spec.queue.empty() || queue.name == spec.queue) return queue;
  }
  throw Violation("P8 placement", "there is no queue " + spec.queue);
}

// ---- what clients did and were told ------------------------------------------------------------

void Oracle::submit_sent(std::uint32_t uid, const std::string& token, const JobSpec& spec,
                         const JobPayload& payload) {
  sent_[{uid, token}] = {spec, payload};
}

void Oracle::submit_acked(std::uint32_t uid, const std::string& token, JobId job) {
  Sent& sent = sent_.at({uid, token});
  require(sent.acked == 0 || sent.acked == job, "P2 token",
          "token " + token + " was answered with job " + std::to_string(sent.acked) + " and " +
              std::to_string(job));
  sent.acked = job;
  require(sent.committed == job, "P1 durable ack",
          name_of(job) + " was acknowledged and is not committed");
}

void Oracle::cancel_acked(JobId job) {
  JobTruth& truth = jobs_[job];
  if (truth.ended && truth.runs.empty()) marks_.hit(Mark::cancel_acked_before_start);
  if (truth.cancel_acked || truth.ended) return;
  truth.cancel_acked = true;
  truth.last_allowed = truth.open ? truth.open->sequence : 0;
  require(truth.cancel_recorded, "P9 cancel",
          "the cancellation of " + name_of(job) + " was acknowledged and is not committed");
  if (truth.open) marks_.hit(Mark::cancel_acked_while_placed);
}

// ---- what machines did -------------------------------------------------------------------------

void Oracle::process_started(const std::string& node, const LaunchOrder& order, WallMs at_ms) {
  const JobId id = order.key.job;
  const std::string who = name_of(order.key) + " on " + node;
  JobTruth& job = jobs_[id];
  require(job.exists, "P1 durable ack", who + " started and is not in the store");
  require(!job.run_of(order.key), "P3 one start", who + " started twice");
  require(!job.living(), "P3 one live attempt", who + " started while an earlier attempt is alive");
  require(job.open == order.key, "P3 fencing",
          who + " started; by the store that attempt is not (or no longer) the current one");
  require(job.placement == order.placement, "P8 placement",
          who + " has another placement than was committed");
  require(!order.placement.shares.empty() && order.own_share().node == node, "P8 placement",
          who + " started on a node of another share");
  require(!job.cancel_acked || order.key.sequence <= job.last_allowed, "P9 cancel",
          who + " started after its cancellation was acknowledged");
  for (const Run& run : job.runs) {
    const bool asked = job.requeues.count(run.key.attempt) > 0;
    require(job.spec.requeue || asked, "P3 no-requeue",
            who + " started a second time, but may not be requeued");
    require(!run.record || may_start_again(job, run), "P4 result",
            who + " started although an earlier attempt had ended with a result");
  }
  // The script has its companions when it starts (one may have died since).
  for (std::size_t i = 1; i < order.placement.shares.size(); ++i) {
    const std::string& other = order.placement.shares[i].node;
    require(job.gang == order.key && job.companions_seen.count(other), "gang",
            who + " started before its companion on " + other);
    require(i < order.peers.size() && order.peers[i].port != 0, "gang",
            who + " was not told where its companion on " + other + " is");
  }
  take_room(node, order, who);
  check_dependencies(job, id);
  job.runs.push_back({order.key, order.placement, at_ms, true, std::nullopt});
  living_.insert(id);
  ++processes_;
}

// What runs at the same time on a node never shares a core, a device or memory.
void Oracle::take_room(const std::string& node, const LaunchOrder& order, const std::string& who) {
  const Placement mine{{order.own_share()}};
  std::vector<Placement> theirs;
  std::vector<const Placement*> others;
  for (const auto& [key, share] : room_[node]) {
    theirs.push_back({{share}});
    check_room(mine, theirs.back(), who, name_of(key), "P8 over-allocation");
  }
  for (const Placement& placement : theirs) others.push_back(&placement);
  check_memory(mine.shares.front(), others, who, "P8 over-allocation");
  room_[node][order.key] = order.own_share();
}

void Oracle::give_room(const std::string& node, const LaunchKey& key) { room_[node].erase(key); }

void Oracle::companion_started(const std::string& node, const LaunchOrder& order) {
  const std::string who = "a companion of " + name_of(order.key) + " on " + node;
  JobTruth& job = jobs_[order.key.job];
  if (job.gang != order.key) {
    job.gang = order.key;
    job.companions_seen.clear();
  }
  require(job.companions_seen.insert(node).second, "P3 one start", who + " started twice");
  require(job.open == order.key, "P3 fencing",
          who + " started; by the store that attempt is not (or no longer) the current one");
  require(order.own_share().node == node && order.is_companion(), "P8 placement",
          who + " started on a node of another share");
  require(!order.step_key.empty(), "gang", who + " was told no key");
  take_room(node, order, who);
  job.companions.insert(node);
  marks_.hit(Mark::companion_started);
}

void Oracle::companion_destroyed(const std::string& node, const LaunchKey& key) {
  jobs_.at(key.job).companion_lost.insert(key.attempt);
  companion_ended(node, key);
}

void Oracle::companion_ended(const std::string& node, const LaunchKey& key) {
  jobs_.at(key.job).companions.erase(node);
  give_room(node, key);
}

void Oracle::process_ended(const std::string& node, const LaunchKey& key,
                           const std::optional<ExitRecord>& record) {
  give_room(node, key);
  for (Run& run : jobs_.at(key.job).runs) {
    if (run.key != key) continue;
    run.alive = false;
    run.record = record;
  }
  living_.erase(key.job);
}

void Oracle::launch_failed(const LaunchKey& key) {
  JobTruth& job = jobs_.at(key.job);
  if (job.open == key) job.launch_failed = true;
}

// Although it has a result.
bool Oracle::may_start_again(const JobTruth& job, const Run& run) {
  const ExitRecord& record = *run.record;
  const bool failed =
      record.stopped == StopReason::None && (record.exit_code != 0 || record.signal != 0);
  return job.outside_proof.count(run.key.attempt) || record.stopped == StopReason::Requeue ||
         record.stopped == StopReason::NodeFailure || record.stopped == StopReason::LeaseExpired ||
         (failed && job.companion_lost.count(run.key.attempt));
}

bool Oracle::is_doubtful(const JobTruth& job) const {
  if (!job.open || job.placement.shares.empty()) return false;
  if (job.boot_doubted == *job.open) return true;
  const NodeShare& share = job.placement.shares.front();
  const auto boot = boots_.find(share.node);
  return boot != boots_.end() && boot->second != share.boot_id;
}

bool Oracle::is_open(const LaunchKey& key) const {
  const auto found = jobs_.find(key.job);
  return found != jobs_.end() && found->second.open == key;
}

// ---- at any time, and at the end ---------------------------------------------------------------

void Oracle::check_live(const JobTable& live, Store& store) const {
  JobTable replayed;
  StoredState state;
  store.load(state, [&](const JobEvent& event) { replayed.replay(event); });
  for (const auto& [id, job] : live.all()) {
    const Job* twin = replayed.find(id);
    require(twin, "live = replayed", name_of(id) + " lives, but not in the store");
    const std::string field = difference(job, *twin);
    require(field.empty(), "live = replayed", name_of(id) + " differs in " + field);
  }
  require(live.size() == replayed.size(), "live = replayed",
          "the store holds jobs that the master has forgotten");
}

void Oracle::check_kept(Store& store) const {
  for (const auto& [token, sent] : sent_) {
    if (sent.acked == 0) continue;
    require(store.find_token(token.first, token.second) == sent.acked, "P1 durable ack",
            name_of(sent.acked) + " was acknowledged and is gone");
    require(store.load_payload(sent.acked) == sent.payload, "P1 durable ack",
            name_of(sent.acked) + " has lost its payload");
  }
}

bool Oracle::all_ended() const { return ended_jobs_ == committed_jobs_; }

void Oracle::check_all_ended() const {
  std::string stuck;
  for (const auto& [id, job] : jobs_) {
    if (!job.exists || job.ended) continue;
    stuck += " " + name_of(id) + (job.held ? " (held)" : "");
    if (job.open) {
      stuck += " (" + to_string(*job.open) + " on " + job.placement.node_names() +
               (job.living() ? ", alive)" : ", not alive)");
    }
  }
  require(stuck.empty(), "progress", "these never ended:" + stuck);
}

void Oracle::check_stopped() {
  for (auto& [id, job] : jobs_) {
    require(!job.cancel_due || job.ended, "P9 cancel",
            name_of(id) + " goes on long after its cancellation was acknowledged");
    const Run* run = job.stop_due ? job.run_of(*job.stop_due) : nullptr;
    require(!run || !run->alive, "requeue",
            name_of(id) + " goes on long after its requeue was acknowledged");
    job.cancel_due = job.cancel_acked;
    job.stop_due = job.to_be_stopped;
  }
}

bool Oracle::can_ever_fit(const JobSpec& spec) const {
  const std::vector<std::string>& members = queue(spec).nodes;
  std::vector<Node> nodes;
  std::vector<char> usable;
  for (const auto& known : options_.nodes) {
    nodes.push_back({.name = known.name, .inventory = known.inventory});
    usable.push_back(members.empty() ||
                     std::find(members.begin(), members.end(), known.name) != members.end());
  }
  return !place(spec, nodes, FreeTable(nodes, true), usable).empty();
}

std::vector<JobId> Oracle::misfits() const {
  std::vector<JobId> found;
  for (const auto& [id, job] : jobs_) {
    if (job.exists && !job.ended && !can_ever_fit(job.spec)) found.push_back(id);
  }
  return found;
}

std::vector<JobId> Oracle::held_jobs() const {
  std::vector<JobId> held;
  for (const auto& [id, job] : jobs_) {
    if (job.exists && job.held && !job.ended) held.push_back(id);
  }
  return held;
}

std::string difference(const Job& a, const Job& b) {
  if (a.id != b.id) return "id";
  if (!(a.spec == b.spec)) return "spec";
  if (a.phase != b.phase) return "phase";
  if (a.outcome != b.outcome) return "outcome";
  if (a.submitted_ms != b.submitted_ms) return "submitted_ms";
  if (a.assigned_ms != b.assigned_ms) return "assigned_ms";
  if (a.started_ms != b.started_ms) return "started_ms";
  if (a.ended_ms != b.ended_ms) return "ended_ms";
  if (a.not_before_ms != b.not_before_ms) return "not_before_ms";
  if (a.key != b.key) return "key";
  if (a.attempts != b.attempts) return "attempts";
  if (a.restarts != b.restarts) return "restarts";
  if (a.launch_failures != b.launch_failures) return "launch_failures";
  if (!(a.placement == b.placement)) return "placement";
  if (a.why != b.why) return "why";
  if (a.loans != b.loans) return "loans";
  if (a.caps != b.caps) return "caps";
  if (a.held != b.held) return "held";
  if (a.held_by_admin != b.held_by_admin) return "held_by_admin";
  if (a.cancel_requested != b.cancel_requested) return "cancel_requested";
  if (a.requeue_requested != b.requeue_requested) return "requeue_requested";
  if (a.unmet != b.unmet) return "unmet";
  if (a.exit_code != b.exit_code || a.signal != b.signal) return "exit status";
  if (!(a.usage == b.usage)) return "usage";
  if (a.reason != b.reason) return "reason";
  if (a.avoid_node != b.avoid_node) return "avoid_node";
  return "";
}

}  // namespace hyades
