// Why jobs wait, for those who ask.
#include <algorithm>

#include "core/controller.hpp"
#include "core/units.hpp"
#include "master/decision_recorder.hpp"
#include "master/event_json.hpp"
#include "master/front_door.hpp"
#include "master/job_info.hpp"
#include "master/queue_nodes.hpp"
#include "master/telemetry_board.hpp"
#include "policy/order.hpp"

namespace hyades {
namespace {

constexpr int kExplainedAtOnce = 10;
constexpr int kDecisionsAtOnce = 1'000;
// Each try costs as much as a scheduling pass; the master has other things to do.
constexpr int kTries = 6;
constexpr std::size_t kWaitingForTries = 2'000;

void fill(const Explanation& why, pb::JobExplanation& out) {
  out.set_scheduled(true);
  out.set_policy(std::string(to_string(why.rule.order)));
  out.set_backfill(std::string(to_string(why.rule.backfill)));
  out.set_run_times(std::string(to_string(run_times_of(why.rule))));
  out.set_reserve(reserve_of(why.rule));
  out.set_reserve_after_s(why.rule.reserve_after_s);
  out.set_ageing(why.rule.ageing);
  out.set_advised(why.advised);
  out.set_model(why.model);
  out.set_choice(why.choice);
  if (why.played) *out.mutable_played() = to_proto(*why.played);
  for (const auto& [rule, value] : why.values) {
    pb::RuleValue& added = *out.add_values();
    added.set_rule(rule);
    added.set_value(value);
  }
  out.set_position(why.position);
  out.set_waiting(why.waiting);
  out.set_score(why.score);
  out.set_run_s(why.expected_run_s);
  out.set_run_q10_s(why.run_q10_s);
  out.set_run_q90_s(why.run_q90_s);
  out.set_guarded(why.guarded);
  out.set_over_age_ms(why.over_age_ms);
  out.set_first(why.first);
  out.set_faster_nodes(why.faster_nodes);
  out.set_faster_end_ms(why.faster_end_ms);
  out.set_now_end_ms(why.now_end_ms);
  out.set_patient_until_ms(why.patient_until_ms);
}

pb::PlaceCost to_proto(const PlaceCost& cost) {
  pb::PlaceCost out;
  out.set_run_s(cost.run_s);
  out.set_contention_s(cost.contention_s);
  out.set_transfer_s(cost.transfer_s);
  out.set_energy_s(cost.energy_s);
  out.set_balance_s(cost.balance_s);
  return out;
}

void fill(const PlacementWhy& why, pb::JobExplanation& explanation) {
  if (why.places == 0) return;
  pb::PlacementWhy& out = *explanation.mutable_placement();
  out.set_work_class(why.work_class);
  out.set_places(why.places);
  *out.mutable_cost() = to_proto(why.cost);
  out.set_first_fit(why.first_fit);
  *out.mutable_first_fit_cost() = to_proto(why.first_fit_cost);
  out.set_runner_up(why.runner_up);
  *out.mutable_runner_up_cost() = to_proto(why.runner_up_cost);
}

// Of the last attempt.
PlacementWhy last_place(const std::vector<StoredEvent>& events) {
  PlacementWhy why;
  for (const StoredEvent& stored : events) {
    if (stored.kind != event_name(JobEvent{stored.job, stored.at_ms, Assigned{}})) continue;
    const JobEvent event = event_from_json(stored.job, stored.at_ms, stored.kind, stored.detail);
    why = std::get<Assigned>(event.what).place_why;
  }
  return why;
}

// The longest time limit, and the most tasks, with which it would start at once; by halves.
void fill_what_would_start(const Controller& controller, const Job& job, const Now& now,
                           pb::JobExplanation& out) {
  JobSpec asked = job.spec;
  for (int i = 0; i < kTries && asked.time_limit_s > 60; ++i) {
    asked.time_limit_s = std::max(asked.time_limit_s / 2, 60);
    if (!controller.would_start(job, asked, now)) continue;
    out.add_starts_with("--time=" + format_duration(asked.time_limit_s));
    break;
  }
  asked = job.spec;
  for (int i = 0; i < kTries && asked.nodes <= 1 && asked.tasks > 1; ++i) {
    asked.tasks /= 2;
    if (!controller.would_start(job, asked, now)) continue;
    out.add_starts_with("--ntasks=" + std::to_string(asked.tasks));
    break;
  }
}

}  // namespace

void FrontDoor::explain_jobs(const ClientRequest& request) {
  const auto& ids = request.what.explain_jobs().ids();
  if (!may_see_jobs(request, ids, kExplainedAtOnce, "the explanation")) return;
  pb::ClientReply reply;
  for (const std::uint64_t id : ids) {
    pb::JobExplanation& why = *reply.add_explanations();
    why.set_job(id);
    if (const Job* const job = driver_->controller().jobs().find(id)) {
      fill_job_info(driver_->controller(), *job, clock_.now(), *reply.add_jobs());
      if (job->placed()) fill(job->place_why, why);
      explain(*job, why);
      continue;
    }
    const std::vector<StoredJob> stored = store_.list_jobs({.ids = {id}});
    if (stored.empty()) {
      return refuse(request.id, ErrorCode::Unavailable, store_.last_error());
    }
    fill_job_info(stored.front(), *reply.add_jobs());
    fill(last_place(store_.events(id)), why);
  }
  server_.reply(request.id, reply);
}

void FrontDoor::show_decisions(const ClientRequest& request) {
  const pb::ShowDecisions& show = request.what.show_decisions();
  pb::ClientReply reply;
  if (telemetry_ != nullptr) {
    if (show.id() != 0) {
      if (auto decision = telemetry_->find_decision(show.id())) *reply.add_decisions() = *decision;
    } else {
      const int most = std::clamp(show.most(), 1, kDecisionsAtOnce);
      for (pb::PolicyDecision& decision : telemetry_->decisions(most, show.shadow())) {
        decision.clear_question();  // thousands of bytes each
        *reply.add_decisions() = std::move(decision);
      }
    }
  }
  if (show.id() != 0 && reply.decisions().empty()) {
    return refuse(request.id, ErrorCode::NotFound,
                  "there is no decision " + std::to_string(show.id()));
  }
  server_.reply(request.id, reply);
}

void FrontDoor::explain(const Job& job, pb::JobExplanation& out) const {
  const Controller& controller = driver_->controller();
  const Now now = clock_.now();
  const std::optional<Explanation> why = controller.explain(job, now);
  if (!why) return;
  fill(*why, out);
  const QueueFacts nodes = queue_nodes(controller, job.spec.queue);
  out.set_cores(static_cast<int>(procs_of(job.spec)));
  out.set_queue_cores(static_cast<int>(nodes.cores));
  out.set_free_cores(static_cast<int>(nodes.free_cores));
  out.set_reserved_nodes(controller.reserved_nodes(job.id));
  if (why->waiting <= kWaitingForTries) fill_what_would_start(controller, job, now, out);
}

}  // namespace hyades
