#include "core/job_table.hpp"

#include <algorithm>

#include "core/assert.hpp"
#include "core/test_hooks.hpp"

namespace hyades {
namespace {

// In a list that has at most one entry a node, sorted by their names.
template <typename T>
void erase_node(std::vector<T>& all, const std::string& node) {
  std::erase_if(all, [&](const T& entry) { return entry.node == node; });
}

template <typename T>
void insert_node(std::vector<T>& all, T entry) {
  const auto place =
      std::find_if(all.begin(), all.end(), [&](const T& other) { return other.node > entry.node; });
  all.insert(place, std::move(entry));
}

}  // namespace

const Job& JobTable::replay(const JobEvent& event) {
  if (std::holds_alternative<Submitted>(event.what)) {
    HYADES_ASSERT(event.job != 0 && !jobs_.contains(event.job));
    jobs_.try_emplace(jobs_.end(), event.job)->second.id = event.job;
  }
  const Job* const found = find(event.job);
  HYADES_ASSERT(found != nullptr);
  Job& job = const_cast<Job&>(*found);  // ours; find() is for everybody
  HYADES_ASSERT(job.phase != JobPhase::Ended);
  std::visit([&](const auto& what) { apply(job, what, event); }, event.what);
  return job;
}

void JobTable::apply(Job& job, const Submitted& e, const JobEvent& event) {
  job.spec = e.spec;
  job.submitted_ms = event.at_ms;
  job.not_before_ms = e.spec.begin_ms;
  job.held = e.spec.hold;
  if (!HYADES_DEFECT("skip_dependency")) job.unmet = e.spec.dependencies;
}

void JobTable::apply(Job& job, const DependencySettled& e, const JobEvent&) {
  HYADES_ASSERT(job.phase == JobPhase::Pending);
  const auto found = std::find(job.unmet.begin(), job.unmet.end(), e.dependency);
  HYADES_ASSERT(found != job.unmet.end());
  if (e.met) job.unmet.erase(found);  // an unmet one stays: Ended follows
}

void JobTable::apply(Job& job, const HoldChanged& e, const JobEvent&) {
  job.held = e.held && !HYADES_DEFECT("ignore_hold");
  job.held_by_admin = e.held && e.by_admin;
  job.reason = e.held && !e.by.empty() ? "held by " + e.by : "";
  if (e.held) return;
  job.launch_failures = 0;
  job.losses = 0;
}

void JobTable::apply(Job& job, const Assigned& e, const JobEvent& event) {
  HYADES_ASSERT(job.phase == JobPhase::Pending);
  HYADES_ASSERT(e.key.job == job.id && e.key.attempt == job.attempts + 1);
  job.phase = JobPhase::Launching;
  job.key = e.key;
  job.attempts = e.key.attempt;
  job.placement = e.placement;
  job.why = e.why;
  job.place_why = e.place_why;
  job.kill_grace_s = e.kill_grace_s;
  job.assigned_ms = event.at_ms;
  job.started_ms = 0;
  job.reason.clear();
}

void JobTable::apply(Job& job, const Started& e, const JobEvent&) {
  HYADES_ASSERT(job.phase == JobPhase::Launching && e.key == job.key);
  job.phase = JobPhase::Running;
  job.started_ms = e.started_ms;
  job.launch_failures = 0;
}

void JobTable::apply(Job& job, const ScriptEnded& e, const JobEvent&) {
  HYADES_ASSERT(job.phase == JobPhase::Running && e.key == job.key && !job.script);
  job.script = e.exit;
}

void JobTable::apply(Job& job, const CoresLent& e, const JobEvent& event) {
  HYADES_ASSERT(job.placed() && e.key == job.key);
  erase_node(job.loans, e.node);
  if (!e.loan.cores.empty()) insert_node(job.loans, {e.node, e.loan, event.at_ms});
}

void JobTable::apply(Job& job, const PowerCapped& e, const JobEvent& event) {
  HYADES_ASSERT(job.placed() && e.key == job.key);
  erase_node(job.caps, e.node);
  if (e.cap.percent != 100) insert_node(job.caps, {e.node, e.cap, event.at_ms});
}

void JobTable::apply(Job& job, const CancelRequested& e, const JobEvent&) {
  job.cancel_requested = true;
  job.reason = "cancelled by " + e.by;
}

void JobTable::apply(Job& job, const RequeueRequested& e, const JobEvent&) {
  HYADES_ASSERT(job.placed());
  job.requeue_requested = true;
  job.reason = "requeue asked for by " + e.by;
}

void JobTable::apply(Job& job, const Requeued& e, const JobEvent&) {
  HYADES_ASSERT(job.placed() && e.key == job.key);
  job.phase = JobPhase::Pending;
  job.placement = {};
  job.loans.clear();
  job.caps.clear();
  job.key = {};
  job.script.reset();
  job.requeue_requested = false;
  job.restarts += e.had_started ? 1 : 0;
  if (!e.avoid_node.empty()) ++(e.had_started ? job.losses : job.launch_failures);
  job.not_before_ms = e.not_before_ms;
  job.avoid_node = e.avoid_node;
  job.reason = e.reason;
  job.started_ms = 0;
}

void JobTable::apply(Job& job, const Ended& e, const JobEvent&) {
  HYADES_ASSERT(e.outcome != Outcome::None);
  job.phase = JobPhase::Ended;
  job.loans.clear();
  job.caps.clear();
  job.outcome = e.outcome;
  job.exit_code = e.exit_code;
  job.signal = e.signal;
  job.started_ms = e.started_ms;
  job.ended_ms = e.ended_ms;
  job.usage = e.usage;
  job.reason = e.reason;
  ended_.push_back(job.id);
}

void JobTable::forget_ended() {
  if (!ended_.empty()) found_last_ = nullptr;
  for (const JobId id : ended_) jobs_.erase(id);
  ended_.clear();
}

const Job* JobTable::find(JobId id) const {
  if (found_last_ != nullptr && found_last_->id == id) return found_last_;
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return nullptr;
  found_last_ = &found->second;
  return found_last_;
}

}  // namespace hyades
