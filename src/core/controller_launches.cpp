// Attempts: the orders that go out for them, what nodes report, and what comes of it.
#include <algorithm>

#include "core/controller.hpp"
#include "core/test_hooks.hpp"

namespace hyades {

namespace {
constexpr BootMs kRepeatAtMost_ms = 30'000;
constexpr BootMs kRepeatStops_ms = 5'000;
constexpr WallMs kBackoff_ms = 1'000;  // doubled with every launch that fails in a row
// Why it has what it asked for again, when the worker there knows of nothing else.
constexpr const char* kNewWorker = "a new worker began anew";

bool went_well(const ExitRecord& exit) { return exit.exit_code == 0 && exit.signal == 0; }

bool is_lost(const Part& part) {
  if (!part.over) return false;
  return part.report.state != LaunchState::Exited ||
         part.report.exit.stopped == StopReason::LeaseExpired;
}

// Messages may come late, or twice. That it lived once must not hide how it ended, whatever the
// clocks say: those of nodes begin anew when they boot.
bool is_old_word(const Part& part, const LaunchReport& alive) {
  return part.over || (part.heard && alive.sent_ms < part.report.sent_ms);
}
}  // namespace

// ---- who is where -----------------------------------------------------------------------------

// Which share of the job is this node's; Gang::none if none is.
std::size_t Controller::share_on(const Job& job, const std::string& node) {
  const auto& shares = job.placement.shares;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i].node == node) return i;
  }
  return Gang::none;
}

// True when the node of this share has been booted since the job was placed there.
bool Controller::rebooted_since(const Job& job, std::size_t share) const {
  const NodeShare& its = job.placement.shares[share];
  const Node* const node = cluster_.find(its.node);
  return node != nullptr && node->boot_id != its.boot_id && !HYADES_DEFECT("ignore_reboot");
}

Gang Controller::new_gang(const Job& job) const {
  Gang gang{.key = job.key, .parts = std::vector<Part>(job.placement.shares.size())};
  for (std::size_t i = 0; i < gang.parts.size(); ++i) {
    const Node* const node = cluster_.find(job.placement.shares[i].node);
    if (node != nullptr && job.key.sequence < node->dead_below) {
      prove_dead(gang, i, "the node is dead: " + node->death_proof);
    }
  }
  return gang;
}

void Controller::prove_dead(Gang& gang, std::size_t share, const std::string& proof) {
  Part& part = gang.parts[share];
  part.heard = part.over = part.by_proof = true;
  part.report = {.key = gang.key, .state = LaunchState::Lost, .exit = {}, .reason = proof};
}

// ---- reports ----------------------------------------------------------------------------------

void Controller::on(PeerId from, const LaunchReport& report, const Now& now, Step& out) {
  const Job* const job = jobs_.find(report.key.job);
  const bool current = job != nullptr && job->placed() &&
                       (job->key == report.key || HYADES_DEFECT("no_attempt_check"));
  const std::size_t share = current ? share_on(*job, peers_[from]) : Gang::none;
  const bool alive = report.state == LaunchState::Starting || report.state == LaunchState::Running;
  if (share == Gang::none || (alive && gangs_.at(job->id).parts[share].by_proof)) {
    stray(from, report, now, out);
    return;
  }
  cluster_.find(peers_[from])->strays.erase(report.key);
  Gang& gang = gangs_.at(job->id);
  Part& part = gang.parts[share];
  if (alive && is_old_word(part, report)) return;
  const bool told_to_stop = stop_reason(*job, share) != StopReason::None;
  if (part.by_proof) part.over = part.by_proof = false;  // its own word is better
  part.heard = true;
  part.report = report;
  switch (report.state) {
    case LaunchState::Starting:
      // The rest of a job on several nodes waits for this one, so it is asked until it runs.
      if (gang.alone()) {
        answered(*job, share, now, out);
      } else if (!unanswered_.contains({job->id, share})) {
        send_order(*job, share, now, out);
      }
      return;
    case LaunchState::Running:
      runs(*job, share, now, out);
      note_shares(*job, share, now, out);
      return;
    case LaunchState::Exited:
    case LaunchState::NeverStarted:
    case LaunchState::Lost:
    case LaunchState::Absent:
      break;
  }
  if (part.over) return;  // what that called for has been done, and is repeated
  part.over = true;
  part.report.loan = {{}, "its part there is over"};
  part.report.cap = {100, "its part there is over"};
  if (!gang.alone()) note_shares(*job, share, now, out);
  unanswered_.erase({job->id, share});
  if (gang.culprit == Gang::none && !told_to_stop) gang.culprit = share;
  if (share == 0) script_is_over(*job, now, out);
  advance(*job, now, out);
}

void Controller::runs(const Job& job, std::size_t share, const Now& now, Step& out) {
  const Gang& gang = gangs_.at(job.id);
  if (job.phase == JobPhase::Launching && share == 0) {
    note_good_launch(job);
    started(job, gang.parts[0].report.started_ms, now, out);
  } else if (job.phase == JobPhase::Launching && gang.companions_run() && !gang.parts[0].heard) {
    send_order(job, 0, now, out);
  }
  answered(job, share, now, out);
}

// What it may use there beyond its own, or without all of it, is another than when last heard.
void Controller::note_shares(const Job& job, std::size_t share, const Now& now, Step& out) {
  note_loan(job, share, now, out);
  note_cap(job, share, now, out);
}

void Controller::note_loan(const Job& job, std::size_t share, const Now& now, Step& out) {
  const std::string& node = job.placement.shares[share].node;
  CoreLoan loan = gangs_.at(job.id).parts[share].report.loan;
  const auto known = std::find_if(job.loans.begin(), job.loans.end(),
                                  [&](const NodeLoan& other) { return other.node == node; });
  const IdSet before = known == job.loans.end() ? IdSet() : known->loan.cores;
  if (loan.cores == before) return;
  // A worker that has lent nothing yet, and has taken back what the one before it had.
  if (loan.why.empty()) loan.why = kNewWorker;
  record(job.id, CoresLent{job.key, node, std::move(loan)}, now, out);
}

void Controller::note_cap(const Job& job, std::size_t share, const Now& now, Step& out) {
  const std::string& node = job.placement.shares[share].node;
  PowerCap cap = gangs_.at(job.id).parts[share].report.cap;
  const auto known = std::find_if(job.caps.begin(), job.caps.end(),
                                  [&](const NodeCap& other) { return other.node == node; });
  const int before = known == job.caps.end() ? 100 : known->cap.percent;
  if (cap.percent == before) return;
  if (cap.why.empty()) cap.why = kNewWorker;  // it has lifted what the one before it had lowered
  cap.obstacle.clear();
  record(job.id, PowerCapped{job.key, node, std::move(cap)}, now, out);
}

std::string Controller::power_obstacle(const Job& job) const {
  const auto gang = gangs_.find(job.id);
  if (gang == gangs_.end()) return "";
  for (std::size_t i = 0; i < gang->second.parts.size(); ++i) {
    const std::string& obstacle = gang->second.parts[i].report.cap.obstacle;
    if (!obstacle.empty()) return job.placement.shares[i].node + ": " + obstacle;
  }
  return "";
}

void Controller::started(const Job& job, WallMs at_ms, const Now& now, Step& out) {
  record(job.id, Started{job.key, at_ms}, now, out);
  settle_dependents({job.id, false, Outcome::None}, now, out);
}

// The result of a job on several nodes must be safe before its other nodes are clean, which can
// take as long as one of them is silent.
void Controller::script_is_over(const Job& job, const Now& now, Step& out) {
  const Gang& gang = gangs_.at(job.id);
  const LaunchReport& report = gang.parts[0].report;
  if (gang.alone() || job.script || report.state != LaunchState::Exited ||
      !report.exit.launch_error.empty()) {
    return;
  }
  const ExitRecord exit = report.exit;
  if (job.phase == JobPhase::Launching) started(job, exit.started_ms, now, out);
  record(job.id, ScriptEnded{job.key, exit}, now, out);
}

// Something of the attempt is over: the rest of it is stopped if it has no use any more, and when
// nothing is left the job ends or waits again.
void Controller::advance(const Job& job, const Now& now, Step& out) {
  const Gang& gang = gangs_.at(job.id);
  if (gang.over()) {
    conclude(job, now, out);
    return;
  }
  for (std::size_t i = 0; i < gang.parts.size(); ++i) {
    const StopReason reason = stop_reason(job, i);
    if (reason != StopReason::None && reason != gang.parts[i].told) send_order(job, i, now, out);
  }
}

void Controller::conclude(const Job& job, const Now& now, Step& out) {
  // Both go with what is recorded below.
  const Gang gang = std::move(gangs_.at(job.id));
  std::vector<std::string> nodes;
  for (const NodeShare& share : job.placement.shares) nodes.push_back(share.node);
  for (std::size_t i = 0; i < gang.parts.size(); ++i) note_epilog(job, gang, i, now, out);
  const LaunchReport& script = gang.parts[0].report;
  if (job.script) {
    finish_exited(job, gang, *job.script, now, out);
  } else if (script.state == LaunchState::Exited) {
    finish_exited(job, gang, script.exit, now, out);
  } else if (script.state == LaunchState::Lost || job.phase == JobPhase::Running ||
             (script.state == LaunchState::Absent && rebooted_since(job, 0))) {
    // Whatever happened elsewhere, the script's own node is the one that cannot tell.
    finish_lost(job, blame(job, gang, 0), now, out);
  } else {
    finish_unstarted(job, blame(job, gang, gang.to_blame()), now, out);
  }
  for (std::size_t i = 0; i < gang.parts.size(); ++i) {
    const Node* const node = cluster_.find(nodes[i]);
    const bool has_record = gang.parts[i].report.state != LaunchState::Absent;
    if (!has_record || gang.parts[i].by_proof || !node->responding || node->peer == 0) continue;
    out.outgoing.push_back({node->peer, {epoch_, RetireOrder{gang.key}}});
  }
}

// A node whose epilog fails is not as the next job expects it.
void Controller::note_epilog(const Job& job, const Gang& gang, std::size_t share, const Now& now,
                             Step& out) {
  const std::string& error = gang.parts[share].report.exit.epilog_error;
  const std::string& node = job.placement.shares[share].node;
  if (error.empty() || cluster_.find(node)->drained) return;
  drain_node(node, "after job " + std::to_string(job.id) + ": " + error, "hyades", now, out);
}

Controller::Blame Controller::blame(const Job& job, const Gang& gang, std::size_t share) {
  const LaunchReport& report = gang.parts[share].report;
  Blame blame{.node = job.placement.shares[share].node,
              .reason = report.reason,
              .node_fault = report.node_fault,
              .died = report.state == LaunchState::NeverStarted};
  if (report.state == LaunchState::Exited) {  // of a companion
    blame.node_fault = blame.died = !report.exit.launch_error.empty();
    blame.by_itself = !blame.died && report.exit.stopped != StopReason::LeaseExpired;
    blame.reason = blame.died ? report.exit.launch_error : ended_early(report.exit);
  }
  return blame;
}

// A further node that has lost its part of the job; Gang::none: none has.
std::size_t Controller::lost_companion(const Gang& gang) {
  for (std::size_t i = 1; i < gang.parts.size(); ++i) {
    if (is_lost(gang.parts[i])) return i;
  }
  return Gang::none;
}

std::string Controller::ended_early(const ExitRecord& exit) {
  if (exit.stopped == StopReason::LeaseExpired) return "no master renewed its lease";
  return "its part of the job ended by itself";
}

// The launch is there and alive: no order is open, unless it is to be stopped. A stop may have been
// recorded by a master that died before it could send the order.
void Controller::answered(const Job& job, std::size_t share, const Now& now, Step& out) {
  if (stop_reason(job, share) == StopReason::None) {
    unanswered_.erase({job.id, share});
  } else if (!unanswered_.contains({job.id, share}) && !HYADES_DEFECT("forget_stop")) {
    send_order(job, share, now, out);
  }
}

// The one place at which reports on anything but the current attempt end. Their results are
// committed or meaningless, so the node may forget them; what still runs must not, and until it is
// gone nothing else may use its place.
void Controller::stray(PeerId from, const LaunchReport& report, const Now& now, Step& out) {
  Node& node = *cluster_.find(peers_[from]);
  const bool alive = report.state == LaunchState::Starting || report.state == LaunchState::Running;
  if (alive && node.strays.empty()) node.strays_due_ms = now.boot_ms + config_->resend_ms;
  const bool changes =
      alive ? node.strays.insert(report.key).second : node.strays.erase(report.key) > 0;
  dirty_ = dirty_ || changes;
  if (alive) {
    out.outgoing.push_back({from, {epoch_, StopOrder{report.key, StopReason::Cancelled, 0}}});
  } else if (report.state != LaunchState::Absent) {
    out.outgoing.push_back({from, {epoch_, RetireOrder{report.key}}});
  }
}

// An order may be lost, and the node reports only what changes.
void Controller::stop_strays(const Now& now, Step& out) {
  for (Node& node : cluster_.nodes()) {
    if (node.strays.empty() || !node.responding || now.boot_ms < node.strays_due_ms) continue;
    node.strays_due_ms = now.boot_ms + kRepeatStops_ms;
    for (const LaunchKey& key : node.strays) {
      out.outgoing.push_back({node.peer, {epoch_, StopOrder{key, StopReason::Cancelled, 0}}});
    }
  }
}

// ---- ends -------------------------------------------------------------------------------------

void Controller::finish_exited(const Job& job, const Gang& gang, const ExitRecord& exit,
                               const Now& now, Step& out) {
  // A job that was to be stopped anyway may be told of the other node's failure first.
  const bool failed = exit.stopped == StopReason::NodeFailure && !job.cancel_requested;
  if (failed && !job.requeue_requested) {
    finish_lost(job, blame(job, gang, gang.to_blame()), now, out);
    return;
  }
  if (exit.stopped == StopReason::LeaseExpired) {
    finish_lost(job, {.node = job.placement.shares[0].node, .reason = ended_early(exit)}, now, out);
    return;
  }
  // hrun and mpirun notice a loss before the node's word of it, if that ever comes: a script that
  // failed meanwhile has failed by it, for all that is known.
  const bool by_itself = exit.stopped == StopReason::None && exit.launch_error.empty();
  if (const std::size_t lost = lost_companion(gang); lost != Gang::none && by_itself &&
                                                     !went_well(exit) && job.spec.requeue &&
                                                     !job.cancel_requested) {
    finish_lost(job, blame(job, gang, lost), now, out);
    return;
  }
  // Its end may be the first that is heard of a short job.
  if (exit.launch_error.empty()) note_good_launch(job);
  if (exit.launch_error.empty() && (failed || exit.stopped == StopReason::Requeue) &&
      !job.cancel_requested) {
    record(job.id, Requeued{job.key, job.reason, true, 0, ""}, now, out);
    return;
  }
  note_bad_end(job, exit, now, out);
  end_job(job.id, ended_as(job, gang, exit), now, out);
}

Ended Controller::ended_as(const Job& job, const Gang& gang, const ExitRecord& exit) const {
  Ended ended{.exit_code = HYADES_DEFECT("lost_exit_code") ? 0 : exit.exit_code,
              .signal = exit.signal,
              .started_ms = exit.started_ms,
              .ended_ms = exit.ended_ms,
              .usage = exit.usage,
              .reason = ""};
  bool out_of_memory = exit.out_of_memory;
  for (std::size_t i = 1; i < gang.parts.size(); ++i) {
    const ExitRecord& part = gang.parts[i].report.exit;
    add_usage(ended.usage, part.usage);
    out_of_memory = out_of_memory || part.out_of_memory;
  }
  const bool well = went_well(exit);
  if (!exit.launch_error.empty()) {
    ended.outcome = Outcome::LaunchFailed;
    ended.reason = exit.launch_error;
  } else if (exit.stopped == StopReason::TimeLimit) {
    ended.outcome = Outcome::TimedOut;
    ended.reason = "stopped at its time limit";
  } else if (exit.stopped != StopReason::None) {
    ended.outcome = Outcome::Cancelled;
    ended.reason = job.reason;
  } else if (out_of_memory && !well) {
    ended.outcome = Outcome::OutOfMemory;
    ended.reason = "it needed more memory than it had asked for (--mem)";
  } else {
    ended.outcome = well ? Outcome::Completed : Outcome::Failed;
    if (out_of_memory) ended.reason = "some of its processes were killed for want of memory";
    if (const std::size_t lost = lost_companion(gang); !well && lost != Gang::none) {
      const Blame why = blame(job, gang, lost);
      if (ended.reason.empty()) ended.reason = why.node + ": " + why.reason;
    }
  }
  if (ended.reason.empty() && exit.left_behind > 0) {
    ended.reason = std::to_string(exit.left_behind) +
                   (exit.left_behind == 1 ? " process was" : " processes were") +
                   " still running when the batch script ended, and killed";
  }
  return ended;
}

// The attempt is known never to have started, so another one may.
void Controller::finish_unstarted(const Job& job, const Blame& blame, const Now& now, Step& out) {
  if (job.cancel_requested) {
    end_job(job.id, {.outcome = Outcome::Cancelled, .usage = {}, .reason = job.reason}, now, out);
    return;
  }
  Requeued requeued{.key = job.key, .reason = blame.reason, .avoid_node = ""};
  // An order that never arrived says nothing about node or job. A launch that died on the node
  // does: trying again at once, for ever, would help nobody.
  if (blame.node_fault || blame.died) {
    const int failures = std::min(job.launch_failures, 16);
    requeued.avoid_node = blame.node;
    requeued.not_before_ms = now.wall_ms + std::min<WallMs>(kBackoff_ms << failures, 300'000);
    node_failed_a_launch(job, blame, now, out);
  } else if (const int lost = static_cast<int>(job.attempts) - job.restarts; lost > 2) {
    // Nobody's fault, but a node that refuses everything must not keep the master busy.
    requeued.not_before_ms = now.wall_ms + (kBackoff_ms << std::min(lost - 3, 5));
  }
  record(job.id, std::move(requeued), now, out);
  if (job.launch_failures >= config_->max_launch_failures) {
    hold(job, "nodes could not start it: " + blame.reason, now, out);
  }
}

// Until an operator has looked at it.
void Controller::hold(const Job& job, const std::string& why, const Now& now, Step& out) {
  record(job.id, HoldChanged{true, true, "hyades: " + why}, now, out);
}

// The attempt had started, its end was not recorded, and nothing of it is left.
void Controller::finish_lost(const Job& job, const Blame& blame, const Now& now, Step& out) {
  const std::string reason = blame.node + ": " + blame.reason;
  Ended ended{.started_ms = job.started_ms, .ended_ms = now.wall_ms, .usage = {}, .reason = reason};
  const BadEndKind kind = blame.by_itself ? BadEndKind::Died : BadEndKind::Lost;
  node_failed_a_job(blame.node, job, kind, now, out);
  if (job.cancel_requested) {
    ended.outcome = Outcome::Cancelled;
  } else if (job.spec.requeue || HYADES_DEFECT("ignore_no_requeue")) {
    record(job.id, Requeued{job.key, reason, true, 0, blame.node}, now, out);
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

// ---- orders -----------------------------------------------------------------------------------

// Why this part of the job has to be stopped now; None: it has not.
StopReason Controller::stop_reason(const Job& job, std::size_t share) const {
  const Gang& gang = gangs_.at(job.id);
  if (gang.parts[share].over) return StopReason::None;
  const bool script_over = job.script || gang.parts[0].over;
  if (share != 0 && script_over) return StopReason::ScriptEnded;
  // A script that runs is stopped first: what it started elsewhere may want to end in good order.
  if (share != 0 && job.phase == JobPhase::Running) return StopReason::None;
  if (job.cancel_requested) return StopReason::Cancelled;
  if (job.requeue_requested) return StopReason::Requeue;
  return gang.broken(job.phase == JobPhase::Running) ? StopReason::NodeFailure : StopReason::None;
}

// All of them anew, from the shortest interval: something has changed for the whole job.
void Controller::send_orders(const Job& job, const Now& now, Step& out) {
  forget_orders(job.id);
  const std::size_t shares = job.placement.shares.size();
  for (std::size_t i = 0; i < shares; ++i) {
    if (!gangs_.at(job.id).parts[i].over) send_order(job, i, now, out);
  }
}

void Controller::forget_orders(JobId job) {
  unanswered_.erase(unanswered_.lower_bound({job, 0}), unanswered_.lower_bound({job + 1, 0}));
}

// Sends what the state of this part calls for, and remembers to repeat it until the node reports. A
// node that does not respond gets it when it says hello.
void Controller::send_order(const Job& job, std::size_t share, const Now& now, Step& out) {
  Gang& gang = gangs_.at(job.id);
  const StopReason stop = stop_reason(job, share);
  const bool launching = job.phase == JobPhase::Launching && !rebooted_since(job, share);
  if (stop == StopReason::None && launching && share == 0 && !gang.companions_run() &&
      !HYADES_DEFECT("script_before_companions")) {
    return;  // it is sent when they run
  }
  const Node* const node = cluster_.find(job.placement.shares[share].node);
  if (node->responding && node->peer != 0) {
    Outgoing& outgoing = out.outgoing.emplace_back();
    outgoing.to = node->peer;
    outgoing.message.epoch = epoch_;
    if (stop != StopReason::None) {
      const int grace_s = stop == StopReason::ScriptEnded ? 0 : config_->kill_grace_s;
      outgoing.message.body = StopOrder{job.key, stop, grace_s};
      gang.parts[share].told = stop;
    } else if (launching) {
      LaunchOrder& order = outgoing.message.body.emplace<LaunchOrder>();
      order.key = job.key;
      order.share = static_cast<int>(share);
    } else {
      outgoing.message.body = QueryOrder{job.key};
    }
  }
  Unanswered& unanswered = unanswered_[{job.id, share}];
  unanswered.interval_ms = unanswered.interval_ms == 0
                               ? config_->resend_ms
                               : std::min(unanswered.interval_ms * 2, kRepeatAtMost_ms);
  unanswered.due_ms = now.boot_ms + unanswered.interval_ms;
}

// Late, because an order is large, and most that is in it is the job's own.
bool Controller::complete(LaunchOrder& order) const {
  const Job* const job = jobs_.find(order.key.job);
  if (job == nullptr || !job->placed() || job->key != order.key) return false;
  order.spec = job->spec;
  order.placement = job->placement;
  order.restarts = job->restarts;
  order.kill_grace_s = job->kill_grace_s;
  order.cluster = config_->name;
  const Node& own = *cluster_.find(order.own_share().node);
  if (own.boot_id == order.own_share().boot_id) order.lease_base_ms = own.echo_ms;
  if (order.is_companion()) return true;
  const Gang& gang = gangs_.at(job->id);
  // One was lost in this turn, after the order had been written: it is not where it was.
  if (!gang.companions_run() && !HYADES_DEFECT("script_before_companions")) return false;
  for (std::size_t i = 0; i < gang.parts.size(); ++i) {
    const Node* const node = cluster_.find(job->placement.shares[i].node);
    order.peers.push_back({node->address, i == 0 ? 0 : gang.parts[i].report.step_port});
  }
  return true;
}

void Controller::repeat_orders(const Now& now, Step& out) {
  if (HYADES_DEFECT("no_resend")) return;
  std::vector<std::pair<JobId, std::size_t>> due;
  for (const auto& [part, unanswered] : unanswered_) {
    if (unanswered.due_ms <= now.boot_ms) due.push_back(part);
  }
  for (const auto& [job, share] : due) send_order(*jobs_.find(job), share, now, out);
}

}  // namespace hyades
