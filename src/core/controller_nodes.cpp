// Nodes: greetings, silence, proofs of death, and drains.
#include <algorithm>

#include "core/controller.hpp"
#include "core/test_hooks.hpp"
#include "core/units.hpp"

namespace hyades {

namespace {
// Between the last moment at which a shepherd may have let its job live and the master's belief
// that it has not: for scheduling delays and processes that take their time to die.
constexpr BootMs kLeaseMargin_ms = 5'000;
constexpr BootMs kFenceAgain_ms = 60'000;
constexpr BootMs kOneBlow_ms = 10'000;  // losses within this are one, however many jobs it took
constexpr BootMs kOneUser_ms = 20'000;  // for the jobs of a user to be tried on another node
constexpr const char* kHealthCheck = "health check";
}  // namespace

// ---- greetings --------------------------------------------------------------------------------

void Controller::on(PeerId from, const Hello& hello, const Now& now, Step& out) {
  if (std::string why = refuse_hello(from, hello); !why.empty()) {
    out.outgoing.push_back(
        {from, {epoch_, Welcome{.accepted = false, .reason = std::move(why), .settings = {}}}});
    return;
  }
  define_node(hello, now, out);
  Node& node = *cluster_.find(hello.node);
  peers_[from] = hello.node;
  node.peer = from;
  node.worker_pid = hello.pid;
  node.last_heard_ms = now.boot_ms;
  node.responding = true;
  node.address = hello.address.empty() ? hello.node : hello.address;
  node.strays.clear();  // it names all that it knows
  dirty_ = true;
  welcome(node, hello.sent_ms, now, out);
  for (const LaunchReport& report : hello.launches) on(from, report, now, out);
  reconcile(hello, now, out);
}

// From here on its leases may run, for all that the master knows.
void Controller::welcome(Node& node, BootMs echo_ms, const Now& now, Step& out) const {
  node.renewed_ms = now.boot_ms;
  node.echo_ms = echo_ms;
  out.outgoing.push_back(
      {node.peer, {epoch_, Welcome{true, "", config_->node_settings, node.inventory.cores}}});
}

void Controller::on(PeerId from, const Heartbeat& heartbeat, const Now& now, Step& out) {
  Node& node = *cluster_.find(peers_[from]);
  // It is late, or the last greeting was: what the clock of one boot says means nothing to launches
  // of another.
  if (heartbeat.boot_id != node.boot_id && !HYADES_DEFECT("any_boots_heartbeat")) {
    return ask_for_hello(from, now, out);
  }
  node.renewed_ms = now.boot_ms;
  node.echo_ms = heartbeat.sent_ms;
  out.outgoing.push_back(
      {from, {epoch_, Renewal{heartbeat.sent_ms, leases_on(node), now.wall_ms}}});
  if (heartbeat.health_known) note_health(node, heartbeat.health, now, out);
}

// The launches there, of this boot, whose leases may go on.
std::vector<LaunchKey> Controller::leases_on(const Node& node) const {
  std::vector<LaunchKey> keys;
  const auto found = leased_.find(node.name);
  if (found == leased_.end()) return keys;
  for (const JobId id : found->second) {
    const Job& job = *jobs_.find(id);
    const std::size_t share = share_on(job, node.name);
    const bool is_of_this_boot = job.placement.shares[share].boot_id == node.boot_id;
    if (is_of_this_boot && !gangs_.at(id).parts[share].over) keys.push_back(job.key);
  }
  return keys;
}

// A node that is unwell takes no new jobs until it is well again, by its own word: nobody has to
// resume it. What somebody else drained stays drained, and what somebody resumed although it is
// unwell stays in use until it complains of something else.
void Controller::note_health(Node& node, const std::string& health, const Now& now, Step& out) {
  const bool is_news = health != node.health;
  node.health = health;
  const bool ours = node.drained && node.drained_by == kHealthCheck;
  if (!health.empty() && is_news && (!node.drained || ours)) {
    if (node.drain_reason != health) drain_node(node.name, health, kHealthCheck, now, out);
  } else if (health.empty() && ours) {  // perhaps since before this master: then it is no news
    out.batch.node_events.push_back({node.name, now.wall_ms, NodeResumed{kHealthCheck}});
    apply(out.batch.node_events.back());
  }
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
  for (const JobId id : placed_jobs()) {
    const Job& job = *jobs_.find(id);
    const std::size_t share = share_on(job, hello.node);
    if (share == Gang::none || gangs_.at(id).parts[share].over) continue;
    const bool known = std::any_of(hello.launches.begin(), hello.launches.end(),
                                   [&](const auto& report) { return report.key == job.key; });
    if (!known) send_order(job, share, now, out);
  }
}

void Controller::remember_nodes(const Controller& other) {
  first_tick_ms_ = other.first_tick_ms_;
  bad_ends_ = other.bad_ends_;
  unstarted_ = other.unstarted_;
  hello_asked_ms_ = other.hello_asked_ms_;
  for (Node& node : cluster_.nodes()) {
    const Node* const before = other.cluster_.find(node.name);
    if (before == nullptr) continue;
    node.responding = before->responding;
    node.last_heard_ms = before->last_heard_ms;
    node.peer = before->peer;
    node.address = before->address;
    node.worker_pid = before->worker_pid;
    node.renewed_ms = before->renewed_ms;
    node.echo_ms = before->echo_ms;
    node.health = before->health;
    node.strays = before->strays;
    node.fencing = before->fencing;
    node.fence_below = before->fence_below;
    node.fence_again_ms = before->fence_again_ms;
    node.fence_trouble = before->fence_trouble;
    node.launch_faults = before->launch_faults;
  }
}

// ---- silence ----------------------------------------------------------------------------------

void Controller::check_silence(const Now& now, Step& out) {
  for (Node& node : cluster_.nodes()) {
    if (node.responding && now.boot_ms - node.last_heard_ms > config_->node_timeout_ms) {
      node.responding = false;
      dirty_ = true;
    }
    if (node.responding || node.jobs == 0) continue;
    check_leases(node, now, out);
    ask_for_fence(node, now, out);
  }
}

// When this node was renewed last, as late as it can have been: an earlier master did so before
// this one began.
BootMs Controller::renewed_ms(const Node& node) const {
  return std::max(node.renewed_ms, first_tick_ms_);
}

BootMs Controller::lease_over_ms(const Job& job, const Node& node) const {
  const int grace_s = HYADES_DEFECT("grace_of_the_day") ? config_->kill_grace_s : job.kill_grace_s;
  return renewed_ms(node) + (BootMs{job.spec.lease_s} + grace_s) * 1000 + kLeaseMargin_ms;
}

// What held a lease there has ended itself by now: proof, without a word from the node.
void Controller::check_leases(const Node& node, const Now& now, Step& out) {
  const auto found = leased_.find(node.name);
  if (found == leased_.end()) return;
  for (const JobId id : std::vector<JobId>(found->second.begin(), found->second.end())) {
    const Job& job = *jobs_.find(id);
    const std::size_t share = share_on(job, node.name);
    if (gangs_.at(id).parts[share].over) continue;
    const bool early = HYADES_DEFECT("early_lease") && now.boot_ms > renewed_ms(node) + 10'000;
    if (now.boot_ms <= lease_over_ms(job, node) && !early) continue;
    part_is_dead(job, share,
                 "the node was silent until the job's lease of " +
                     format_duration(job.spec.lease_s) + " had run out",
                 now, out);
  }
}

void Controller::part_is_dead(const Job& job, std::size_t share, const std::string& proof,
                              const Now& now, Step& out) {
  Gang& gang = gangs_.at(job.id);
  if (gang.parts[share].over) return;
  if (gang.culprit == Gang::none && stop_reason(job, share) == StopReason::None) {
    gang.culprit = share;
  }
  prove_dead(gang, share, proof);
  forget_peer(*cluster_.find(job.placement.shares[share].node));
  unanswered_.erase({job.id, share});
  advance(job, now, out);
}

// ---- death ------------------------------------------------------------------------------------

// If it is heard again after all, it has to say first what it runs: it reports only what changes.
void Controller::forget_peer(Node& node) {
  peers_.erase(node.peer);
  node.peer = 0;
  node.responding = false;
  dirty_ = true;
}

// Orders of a sequence lower than `below` are over there. A node that comes back nevertheless is
// told to end what it has of them.
void Controller::declare_dead(const std::string& name, LaunchSequence below,
                              const std::string& proof, const Now& now, Step& out) {
  out.batch.node_events.push_back({name, now.wall_ms, NodeDeclaredDead{below, proof}});
  apply(out.batch.node_events.back());
  forget_peer(*cluster_.find(name));
  for (const JobId id : placed_jobs()) {
    const Job& job = *jobs_.find(id);
    const std::size_t share = share_on(job, name);
    if (share == Gang::none || job.key.sequence >= below) continue;
    part_is_dead(job, share, "the node is dead: " + proof, now, out);
  }
}

void Controller::ask_for_fence(Node& node, const Now& now, Step& out) {
  if (config_->fence_command.empty() || node.fencing || now.boot_ms < node.fence_again_ms) return;
  const BootMs silent_since = std::max(node.last_heard_ms, first_tick_ms_);
  if (now.boot_ms - silent_since < BootMs{config_->fence_after_s} * 1000) return;
  node.fencing = true;
  node.fence_below = next_sequence_;
  out.fences.push_back(node.name);
}

void Controller::step(const FenceResult& result, const Now& now, Step& out) {
  Node* const node = cluster_.find(result.node);
  if (node == nullptr) return;
  node->fencing = false;
  node->fence_trouble = result.ok ? "" : result.what;
  node->fence_again_ms = now.boot_ms + kFenceAgain_ms;
  dirty_ = true;
  if (result.ok) {
    declare_dead(result.node, node->fence_below, "fenced (" + result.what + ")", now, out);
  }
}

// ---- bad nodes --------------------------------------------------------------------------------

// One fault may be bad luck (a full process table, for a second); several in a row are the node's.
// Unless they are a user's own: whoever has no account on the nodes, or too many processes there,
// can start nothing on any of them, and would cost the cluster one node after the other. Such a
// job is tried elsewhere, so with a single user that takes a while to tell.
void Controller::node_failed_a_launch(const Job& job, const Blame& blame, const Now& now,
                                      Step& out) {
  std::set<std::string>& failed_on = unstarted_[job.spec.uid];
  failed_on.insert(blame.node);
  if (failed_on.size() > 1) return;
  if (Node& node = *cluster_.find(blame.node); blame.node_fault && !node.drained) {
    LaunchFaults& faults = node.launch_faults;
    if (faults.count++ == 0) faults.since_ms = now.boot_ms;
    faults.users.insert(job.spec.uid);
    const bool sure = faults.users.size() > 1 || now.boot_ms - faults.since_ms >= kOneUser_ms;
    if (faults.count >= config_->max_node_faults && sure) {
      drain_node(node.name, blame.reason, "hyades", now, out);
    }
  }
  node_failed_a_job(blame.node, job, BadEndKind::NotStarted, now, out);
}

void Controller::note_good_launch(const Job& job) {
  cluster_.find(job.placement.shares[0].node)->launch_faults = {};
  unstarted_.erase(job.spec.uid);
}

// A script that dies of a signal that nobody here sent.
void Controller::note_bad_end(const Job& job, const ExitRecord& exit, const Now& now, Step& out) {
  if (exit.signal == 0 || exit.stopped != StopReason::None) return;
  node_failed_a_job(job.placement.shares[0].node, job, BadEndKind::Died, now, out);
}

// Different jobs that die on one node point at the node; but one user's broken program, submitted
// often, must not cost the cluster its nodes. Nor must one blow (a reboot, a proof of death) that
// takes all the jobs of a node that is good otherwise.
void Controller::node_failed_a_job(const std::string& name, const Job& job, BadEndKind kind,
                                   const Now& now, Step& out) {
  if (config_->bad_node_jobs <= 0) return;
  std::vector<BadEnd>& ends = bad_ends_[name];
  const BootMs since = now.boot_ms - BootMs{config_->bad_node_window_s} * 1000;
  std::erase_if(ends, [&](const BadEnd& end) { return end.at_ms < since || end.job == job.id; });
  const bool same_blow = std::any_of(ends.begin(), ends.end(), [&](const BadEnd& end) {
    return kind == BadEndKind::Lost && end.kind == kind && now.boot_ms - end.at_ms < kOneBlow_ms;
  });
  if (same_blow) return;
  ends.push_back({now.boot_ms, job.id, job.spec.uid, kind});
  if (static_cast<int>(ends.size()) < config_->bad_node_jobs) return;
  const bool soon = now.boot_ms - ends.front().at_ms < kOneUser_ms;
  const bool one_user = std::all_of(ends.begin(), ends.end(), [&](const BadEnd& end) {
    const bool own = end.kind == BadEndKind::Died || (end.kind == BadEndKind::NotStarted && soon);
    return own && end.uid == ends.front().uid;
  });
  if (one_user || cluster_.find(name)->drained) return;
  drain_node(name,
             std::to_string(ends.size()) + " jobs failed here within " +
                 format_duration(config_->bad_node_window_s),
             "hyades", now, out);
  ends.clear();
}

void Controller::drain_node(const std::string& node, const std::string& reason,
                            const std::string& by, const Now& now, Step& out) {
  out.batch.node_events.push_back({node, now.wall_ms, NodeDrained{reason, by}});
  apply(out.batch.node_events.back());
}

}  // namespace hyades
