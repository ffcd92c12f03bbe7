// The oracles over what became durable.
#include <algorithm>

#include "sim/oracle.hpp"
#include "sim/oracle_require.hpp"

namespace hyades {

namespace {

bool overlap(const IdSet& a, const IdSet& b) {
  for (const auto& [first, last] : a.ranges()) {
    for (int id = first; id <= last; ++id) {
      if (b.contains(id)) return true;
    }
  }
  return false;
}

int count_of(const std::vector<DeviceCount>& devices, const std::string& kind) {
  for (const DeviceCount& device : devices) {
    if (device.kind == kind) return device.count;
  }
  return 0;
}

bool names(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// The node did not say it: its lease had run out, or somebody has seen that it is dead.
bool proven_from_outside(const std::string& reason) {
  return reason.find("lease") != std::string::npos ||
         reason.find("the node is dead") != std::string::npos;
}

}  // namespace

// ---- what became durable -----------------------------------------------------------------------

void Oracle::committed(const Batch& batch) {
  for (const NewJob& job : batch.new_jobs) check_new_job(job);
  // A node that is resumed in this turn may be used in this turn.
  for (const NodeEvent& event : batch.node_events) {
    if (std::holds_alternative<NodeResumed>(event.what)) drained_.erase(event.node);
    if (std::holds_alternative<NodeDeclaredDead>(event.what)) give_up(event.node);
  }
  for (const JobEvent& event : batch.job_events) {
    JobTruth& job = jobs_[event.job];
    require(job.exists || std::holds_alternative<Submitted>(event.what), "P4 one end",
            std::string(event_name(event)) + " of " + name_of(event.job) + ", which is not there");
    require(!job.ended, "P4 one end",
            std::string(event_name(event)) + " of " + name_of(event.job) + " after its end");
    std::visit([&](const auto& what) { on(job, what, event); }, event.what);
  }
  for (const NodeEvent& event : batch.node_events) {
    if (std::holds_alternative<NodeDrained>(event.what)) drained_.insert(event.node);
    if (std::holds_alternative<NodeResumed>(event.what)) drained_.erase(event.node);
    if (const auto* defined = std::get_if<NodeDefined>(&event.what)) doubt(event.node, *defined);
    if (const auto* dead = std::get_if<NodeDeclaredDead>(&event.what)) {
      marks_.hit(dead->proof.starts_with("fenced") ? Mark::fenced : Mark::confirmed_dead);
    }
    const auto* drained = std::get_if<NodeDrained>(&event.what);
    if (drained && drained->by != "operator") marks_.hit(Mark::node_drained_by_fault);
  }
}

// What ran there may have ended with a result that nobody will read.
void Oracle::give_up(const std::string& node) {
  for (const JobId id : open_) {
    JobTruth& job = jobs_.at(id);
    for (const NodeShare& share : job.placement.shares) {
      if (share.node == node) job.outside_proof.insert(job.open->attempt);
    }
  }
}

// Even a greeting from long ago, repeated by the link, makes the master careful.
void Oracle::doubt(const std::string& node, const NodeDefined& defined) {
  for (const JobId id : open_) {
    JobTruth& job = jobs_.at(id);
    const NodeShare& share = job.placement.shares.front();
    if (share.node == node && share.boot_id != defined.boot_id) job.boot_doubted = *job.open;
  }
}

void Oracle::check_new_job(const NewJob& job) {
  require(job.job > last_job_, "P6 unique ids",
          name_of(job.job) + " is not above the last id, " + std::to_string(last_job_));
  last_job_ = job.job;
  const auto sent = sent_.find({job.uid, job.token});
  require(sent != sent_.end(), "P1 durable ack", name_of(job.job) + " was never submitted");
  require(sent->second.committed == 0, "P2 token",
          "token " + job.token + " made both " + name_of(sent->second.committed) + " and " +
              name_of(job.job));
  require(job.payload && *job.payload == sent->second.payload, "P1 durable ack",
          name_of(job.job) + " has another payload than was submitted");
  sent->second.committed = job.job;
  jobs_[job.job].uid = job.uid;
}

void Oracle::on(JobTruth& job, const Submitted& e, const JobEvent& event) {
  require(!job.exists, "P6 unique ids", name_of(event.job) + " was submitted twice");
  require(event.job == last_job_ || job.uid != 0, "P1 durable ack",
          name_of(event.job) + " was submitted without a payload");
  job.exists = true;
  job.spec = e.spec;
  job.held = e.spec.hold;
  ++committed_jobs_;
}

void Oracle::on(JobTruth&, const DependencySettled& e, const JobEvent&) {
  if (e.met) marks_.hit(Mark::dependency_met);
}

void Oracle::on(JobTruth& job, const HoldChanged& e, const JobEvent&) {
  job.held = e.held;
  if (e.held && e.by.starts_with("hyades")) marks_.hit(Mark::held_after_failures);
}

void Oracle::on(JobTruth& job, const Assigned& e, const JobEvent& event) {
  const std::string who = name_of(e.key);
  require(!job.open, "P3 one live attempt", who + " was assigned while another attempt is open");
  require(!job.living(), "P3 one live attempt",
          who + " was assigned while an earlier attempt is alive");
  require(!job.cancel_acked, "P9 cancel", who + " was assigned after its cancellation");
  require(!job.held, "hold", who + " was assigned while it is held");
  require(event.at_ms >= job.spec.begin_ms || e.key.attempt > 1, "begin",
          who + " was assigned before its begin time");
  require(e.key.job == event.job && e.key.attempt == job.attempts + 1, "P3 fencing",
          who + " is not the next attempt");
  require(e.key.attempt <= 60, "no hot loop", who + " is one attempt of too many");
  require(e.key.sequence > last_sequence_, "P3 fencing", who + " has an old launch sequence");
  check_dependencies(job, event.job);
  check_placement(job, e.placement, event.job);
  check_limits(job, event.job);
  last_sequence_ = e.key.sequence;
  job.attempts = e.key.attempt;
  job.open = e.key;
  job.placement = e.placement;
  job.reported_started = false;
  job.launch_failed = false;
  open_.insert(event.job);
  if (e.why == StartReason::Backfill) marks_.hit(Mark::backfilled);
  if (e.placement.shares.size() > 1) marks_.hit(Mark::multi_node_started);
  if (job.spec.exclusive) marks_.hit(Mark::exclusive_started);
  if (!job.spec.devices_per_node.empty()) marks_.hit(Mark::devices_started);
}

void Oracle::on(JobTruth& job, const Started& e, const JobEvent&) {
  require(job.open == e.key, "P3 fencing", name_of(e.key) + " is not the current attempt");
  require(!job.reported_started, "P4 one end", name_of(e.key) + " started twice, by the store");
  const Run* run = job.run_of(e.key);
  require(run && run->started_ms == e.started_ms, "P4 result",
          name_of(e.key) + " has started by the store, but not (or at another time) in truth");
  job.reported_started = job.said_started = true;
}

void Oracle::on(JobTruth& job, const ScriptEnded& e, const JobEvent&) {
  require(job.open == e.key, "P3 fencing", name_of(e.key) + " is not the current attempt");
  const Run* run = job.run_of(e.key);
  require(run && run->record == e.exit, "P4 result",
          name_of(e.key) + " has ended by the store, but not (or otherwise) in truth");
  marks_.hit(Mark::script_ended);
}

void Oracle::on(JobTruth& job, const CoresLent& e, const JobEvent&) {
  require(job.open == e.key, "P3 fencing", name_of(e.key) + " is not the current attempt");
  for (const NodeShare& share : job.placement.shares) {
    if (share.node != e.node) continue;
    require(share.cores.common(e.loan.cores).empty(), "P8 lent cores",
            name_of(e.key) + " is lent cores that are its own");
    require(e.loan.cores.empty() || share.cores.size() + e.loan.cores.size() <= job.spec.elastic,
            "P8 lent cores", name_of(e.key) + " is lent more cores than it has asked for");
    require(!e.loan.why.empty(), "P8 lent cores",
            name_of(e.key) + " is lent cores without a reason");
  }
  marks_.hit(e.loan.cores.empty() ? Mark::cores_returned : Mark::cores_lent);
}

void Oracle::on(JobTruth& job, const PowerCapped& e, const JobEvent&) {
  require(job.open == e.key, "P3 fencing", name_of(e.key) + " is not the current attempt");
  require(e.cap.percent == 100 || job.spec.power_margin > 0, "power",
          name_of(e.key) + " is capped and has not agreed to it");
  require(e.cap.percent >= NodeSettings{}.cap_least_percent && e.cap.percent <= 100, "power",
          name_of(e.key) + " is capped at " + std::to_string(e.cap.percent) + " %");
  require(!e.cap.why.empty(), "power", name_of(e.key) + " is capped without a reason");
  marks_.hit(e.cap.percent == 100 ? Mark::power_lifted : Mark::power_capped);
}

void Oracle::on(JobTruth& job, const CancelRequested&, const JobEvent& event) {
  require(job.cancel_sent, "P9 cancel", name_of(event.job) + " is cancelled; nobody asked for it");
  job.cancel_recorded = true;
}

void Oracle::on(JobTruth& job, const RequeueRequested&, const JobEvent& event) {
  require(job.requeue_sent, "P3 no-requeue",
          name_of(event.job) + " is to be requeued; nobody asked for it");
  require(job.open.has_value(), "P3 fencing", name_of(event.job) + " has no attempt to requeue");
  job.requeues.insert(job.open->attempt);
}

void Oracle::on(JobTruth& job, const Requeued& e, const JobEvent& event) {
  const std::string who = name_of(e.key);
  require(job.open == e.key, "P3 fencing", who + " is requeued and not the current attempt");
  const Run* run = job.run_of(e.key);
  require(!run || !run->alive, "P3 one live attempt", who + " is requeued while it is alive");
  require(job.companions.empty(), "P7 nothing left",
          who + " is requeued, and a companion of it is alive");
  const bool doubtful = is_doubtful(job) || proven_from_outside(e.reason);
  require(e.had_started == (run != nullptr) || (e.had_started && doubtful), "P4 result",
          who + (run ? " had started" : " never started") +
              ", but was requeued as the contrary: " + e.reason);
  const bool asked = job.requeues.count(e.key.attempt) > 0;
  require(!run || job.spec.requeue || asked, "P3 no-requeue",
          who + " had started and may not be requeued");
  if (proven_from_outside(e.reason)) job.outside_proof.insert(e.key.attempt);
  require(!run || !run->record || may_start_again(job, *run), "P4 result",
          who + " has a result and was requeued");
  job.said_started = job.said_started || e.had_started;
  job.open.reset();
  job.placement = {};
  open_.erase(event.job);
  if (e.not_before_ms > event.at_ms) marks_.hit(Mark::backed_off);
  if (!run) {
    marks_.hit(Mark::requeued_unstarted);
  } else if (run->record && run->record->stopped == StopReason::NodeFailure) {
    marks_.hit(Mark::requeued_after_companion);
  } else if (run->record) {
    marks_.hit(Mark::requeued_by_request);
  } else {
    marks_.hit(e.reason.find("reboot") != std::string::npos ? Mark::requeued_after_reboot
                                                            : Mark::requeued_after_loss);
  }
}

void Oracle::on(JobTruth& job, const Ended& e, const JobEvent& event) {
  require(!job.living(), "P4 result", name_of(event.job) + " has ended while it is alive");
  require(job.companions.empty(), "P7 nothing left",
          name_of(event.job) + " has ended, and a companion of it is alive");
  if (e.reason.find("lease") != std::string::npos) marks_.hit(Mark::ended_by_lease);
  const Run* run = job.open ? job.run_of(*job.open) : nullptr;
  if (run) {
    check_run_end(job, *run, e, event.job);
  } else {
    check_unplaced_end(job, e, event.job);
  }
  mark_end(job, e);
  job.ended = e;
  job.open.reset();
  job.placement = {};
  open_.erase(event.job);
  ++ended_jobs_;
}

// The last attempt ran: the store must say what its process said.
void Oracle::check_run_end(const JobTruth& job, const Run& run, const Ended& e, JobId id) {
  const std::string who = name_of(run.key) + ", " + std::string(to_string(e.outcome)) + ",";
  if (!run.record) {
    const bool cancelled = e.outcome == Outcome::Cancelled && job.cancel_sent;
    require(e.outcome == Outcome::NodeFailed || cancelled, "P4 result",
            who + " was destroyed and left no result");
    return;
  }
  const ExitRecord& record = *run.record;
  const bool lost = record.stopped == StopReason::NodeFailure ||
                    record.stopped == StopReason::LeaseExpired || proven_from_outside(e.reason);
  if (lost &&
      (e.outcome == Outcome::NodeFailed || (e.outcome == Outcome::Cancelled && job.cancel_sent))) {
    return;
  }
  require(e.exit_code == record.exit_code && e.signal == record.signal, "P4 result",
          who + " returned " + std::to_string(record.exit_code) + "/" +
              std::to_string(record.signal) + ", stored is " + std::to_string(e.exit_code) + "/" +
              std::to_string(e.signal));
  require(
      e.started_ms == record.started_ms && e.ended_ms == record.ended_ms && e.usage == record.usage,
      "P4 result", who + " has other times or usage than its process");
  const bool well = record.exit_code == 0 && record.signal == 0;
  Outcome expected = well ? Outcome::Completed : Outcome::Failed;
  if (record.stopped == StopReason::Cancelled) expected = Outcome::Cancelled;
  if (record.stopped == StopReason::TimeLimit) expected = Outcome::TimedOut;
  if (record.stopped == StopReason::Requeue) expected = Outcome::Cancelled;  // cancelled meanwhile
  require(e.outcome == expected, "P4 result",
          who + " should be " + std::string(to_string(expected)));
  require(expected != Outcome::Cancelled || job.cancel_sent, "P4 result",
          name_of(id) + " was cancelled; nobody asked for it");
}

void Oracle::check_unplaced_end(const JobTruth& job, const Ended& e, JobId id) const {
  const std::string who = name_of(id);
  if (e.outcome == Outcome::LaunchFailed) {
    require(job.open.has_value() && job.launch_failed, "P4 result",
            who + " is said to have failed to launch, which it did not");
    return;
  }
  const bool doubtful = is_doubtful(job) || proven_from_outside(e.reason);
  if (e.outcome == Outcome::NodeFailed && doubtful && !job.spec.requeue) return;
  require(e.outcome == Outcome::Cancelled, "P4 result",
          who + " ended as " + std::string(to_string(e.outcome)) + " and never ran: " + e.reason);
  require(job.cancel_sent || dependency_failed(job), "P4 result",
          who + " was cancelled; nobody asked for it and its dependencies can be met");
}

void Oracle::mark_end(const JobTruth& job, const Ended& e) {
  const bool ran = job.open && job.run_of(*job.open);
  switch (e.outcome) {
    case Outcome::Completed:
      marks_.hit(Mark::completed);
      break;
    case Outcome::Failed:
      marks_.hit(Mark::failed);
      break;
    case Outcome::TimedOut:
      marks_.hit(Mark::timed_out);
      break;
    case Outcome::NodeFailed:
      marks_.hit(Mark::node_failed);
      break;
    case Outcome::LaunchFailed:
      marks_.hit(Mark::launch_failed);
      break;
    case Outcome::OutOfMemory:
      throw Violation("P4 result", "a job ran out of memory; no machine does that here");
    case Outcome::Cancelled:
      if (!job.cancel_sent)
        marks_.hit(Mark::dependency_failed);
      else
        marks_.hit(ran ? Mark::cancelled_running : Mark::cancelled_pending);
      break;
    case Outcome::None:
      throw Violation("P4 one end", "a job ended with no outcome");
  }
}

bool Oracle::dependency_failed(const JobTruth& job) const {
  for (const Dependency& dependency : job.spec.dependencies) {
    const JobTruth& target = jobs_.at(dependency.job);
    if (!target.ended) continue;
    const bool well = !target.runs.empty() && target.runs.back().ended_well() &&
                      target.ended->outcome == Outcome::Completed;
    if (dependency.kind == DependencyKind::AfterOk && !well) return true;
    if (dependency.kind == DependencyKind::AfterNotOk && well) return true;
  }
  return false;
}

void Oracle::check_dependencies(const JobTruth& job, JobId id) const {
  for (const Dependency& dependency : job.spec.dependencies) {
    const JobTruth& target = jobs_.at(dependency.job);
    const bool well = target.ended && !target.runs.empty() && target.runs.back().ended_well() &&
                      target.ended->outcome == Outcome::Completed;  // see proven_from_outside
    bool met = target.ended.has_value();
    if (dependency.kind == DependencyKind::After)
      met = met || target.said_started || !target.runs.empty();
    if (dependency.kind == DependencyKind::AfterOk) met = met && well;
    if (dependency.kind == DependencyKind::AfterNotOk) met = met && !well;
    require(met, "dependency",
            name_of(id) + " starts, but what it needs of " + name_of(dependency.job) +
                " has not happened");
  }
}

void Oracle::check_limits(const JobTruth& job, JobId id) const {
  const QueueConfig& limits = queue(job.spec);
  int running = 0;
  int cores = 0;
  for (const JobId other : open_) {
    const JobTruth& placed = jobs_.at(other);
    if (placed.uid != job.uid || &queue(placed.spec) != &limits) continue;
    ++running;
    cores += placed.placement.cores();
  }
  require(limits.max_running_per_user == 0 || running < limits.max_running_per_user, "limits",
          name_of(id) + " starts beyond its user's limit of running jobs");
  require(limits.max_cores_per_user == 0 || cores < limits.max_cores_per_user, "limits",
          name_of(id) + " starts beyond its user's limit of cores");
}

void Oracle::check_placement(const JobTruth& job, const Placement& placement, JobId id) const {
  const std::string who = name_of(id);
  std::set<std::string> nodes;
  int tasks = 0;
  for (const NodeShare& share : placement.shares) {
    require(nodes.insert(share.node).second, "P8 placement", who + " has a node twice");
    require(!drained_.count(share.node), "drain",
            who + " is placed on " + share.node + ", which is drained");
    check_share(job, share, who);
    tasks += share.tasks;
  }
  require(tasks == job.spec.tasks, "P8 placement", who + " has another number of tasks");
  require(job.spec.nodes == 0 || static_cast<int>(nodes.size()) == job.spec.nodes, "P8 placement",
          who + " has another number of nodes");
  std::vector<const Placement*> others;
  for (const JobId other : open_) {
    others.push_back(&jobs_.at(other).placement);
    check_room(placement, *others.back(), who, name_of(other), "P8 ledger");
  }
  for (const NodeShare& share : placement.shares) check_memory(share, others, who, "P8 ledger");
}

void Oracle::check_share(const JobTruth& job, const NodeShare& share,
                         const std::string& who) const {
  const JobSpec& spec = job.spec;
  const Inventory& has = inventory(share.node);
  const std::string where = who + " on " + share.node;
  const QueueConfig& allowed = queue(spec);
  require(allowed.nodes.empty() || names(allowed.nodes, share.node), "P8 placement",
          where + ": not a node of its queue");
  require(spec.node_list.empty() || names(spec.node_list, share.node), "P8 placement",
          where + ": not one of the nodes it asked for");
  require(!names(spec.exclude, share.node), "P8 placement", where + ": a node it excluded");
  for (const std::string& feature : spec.features) {
    require(names(has.features, feature), "P8 placement", where + ": no feature " + feature);
  }
  const int cores = spec.exclusive ? has.cores : share.tasks * spec.cpus_per_task;
  require(share.tasks >= 1 && share.cores.size() == cores, "P8 placement",
          where + ": another number of cores than it asked for");
  require(spec.tasks_per_node == 0 || share.tasks <= spec.tasks_per_node, "P8 placement",
          where + ": too many tasks");
  require(IdSet::first(has.cores).contains_all(share.cores), "P8 placement",
          where + ": cores that are not there");
  require(share.memory_mib <= has.memory_mib && share.memory_mib >= spec.memory_per_node_mib &&
              share.memory_mib >= spec.memory_per_cpu_mib * spec.cpus_per_task * share.tasks,
          "P8 placement", where + ": less memory than it asked for, or more than there is");
  for (const DeviceCount& wanted : spec.devices_per_node) {
    bool granted = false;
    for (const DeviceGrant& grant : share.devices) {
      granted = granted || (grant.kind == wanted.kind && grant.ids.size() >= wanted.count);
    }
    require(granted, "P8 placement", where + ": not the devices it asked for");
  }
  for (const DeviceGrant& grant : share.devices) {
    const int there = count_of(has.devices, grant.kind);
    require(IdSet::first(there).contains_all(grant.ids), "P8 placement",
            where + ": devices that are not there");
  }
}

void Oracle::check_room(const Placement& mine, const Placement& other, const std::string& who,
                        const std::string& whose, const char* oracle) const {
  for (const NodeShare& a : mine.shares) {
    for (const NodeShare& b : other.shares) {
      if (a.node != b.node) continue;
      const std::string where = who + " and " + whose + " share on " + a.node + " ";
      require(!overlap(a.cores, b.cores), oracle, where + "a core");
      for (const DeviceGrant& x : a.devices) {
        for (const DeviceGrant& y : b.devices) {
          require(x.kind != y.kind || !overlap(x.ids, y.ids), oracle, where + "a device");
        }
      }
    }
  }
}

void Oracle::check_memory(const NodeShare& share, const std::vector<const Placement*>& others,
                          const std::string& who, const char* oracle) const {
  MiB used = share.memory_mib;
  for (const Placement* other : others) {
    for (const NodeShare& theirs : other->shares) {
      if (theirs.node == share.node) used += theirs.memory_mib;
    }
  }
  require(used <= inventory(share.node).memory_mib, oracle,
          who + " and the others on " + share.node + " hold more memory than there is");
}

}  // namespace hyades
