// What predictors and policies are told about jobs, for those who ask.
#include <algorithm>

#include "core/controller.hpp"
#include "master/front_door.hpp"
#include "master/queue_nodes.hpp"
#include "master/telemetry_board.hpp"
#include "policy/observation.hpp"

namespace hyades {

namespace {

constexpr int kJobsAtOnce = 100;

void add_of_queue(const Job& other, QueueFacts& facts) {
  ++(other.placed() ? facts.running_jobs : facts.pending_jobs);
  if (!other.placed()) facts.pending_cores += asked_by(other.spec).cores;
}

void add_own(const Job& other, const Job& job, QueueFacts& facts) {
  ++(other.placed() ? facts.own_running_jobs : facts.own_pending_jobs);
  if (other.placed()) {
    facts.own_running_cores += other.placement.cores();
    const WallMs start_ms = other.started_ms;
    if (start_ms > 0 && (facts.own_oldest_start_ms == 0 || start_ms < facts.own_oldest_start_ms)) {
      facts.own_oldest_start_ms = start_ms;
    }
  }
  if (other.id < job.id) {
    facts.own_last_submit_ms = std::max(facts.own_last_submit_ms, other.submitted_ms);
  }
}

QueueFacts queue_facts(const Controller& controller, const Job& job) {
  QueueFacts facts = queue_nodes(controller, job.spec.queue);
  for (const auto& [id, other] : controller.jobs().all()) {
    if (id == job.id || other.phase == JobPhase::Ended) continue;
    if (other.spec.queue == job.spec.queue) add_of_queue(other, facts);
    if (other.spec.uid == job.spec.uid) add_own(other, job, facts);
  }
  return facts;
}

// Nothing unless its nodes have told both.
std::optional<LiveUse> live_use(const pb::JobTelemetry& telemetry) {
  std::optional<double> cpu_s, peak_mib;
  for (const pb::Figure& figure : telemetry.figures()) {
    if (figure.name() == "job.cpu_time") cpu_s = figure.value();
    if (figure.name() == "job.memory_peak") peak_mib = figure.value();
  }
  if (!telemetry.live() || !cpu_s || !peak_mib) return std::nullopt;
  return LiveUse{*cpu_s, *peak_mib};
}

void fill(JobId id, WallMs at_ms, const Observation& row, pb::JobFeatures& out) {
  out.set_job(id);
  out.set_at_ms(at_ms);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const ObservationField& field = observation_fields()[i];
    pb::Feature& feature = *out.add_features();
    feature.set_name(field.name);
    feature.set_unit(field.unit);
    feature.set_value(row[i]);
    feature.set_meaning(field.meaning);
  }
}

}  // namespace

// How a user's other jobs ended is in it, whatever job is asked about.
void FrontDoor::show_features(const ClientRequest& request) {
  const auto& ids = request.what.show_features().ids();
  if (!may_see_jobs(request, ids, kJobsAtOnce, "the features")) return;
  pb::ClientReply reply;
  for (const std::uint64_t id : ids) {
    if (!add_features(id, reply)) {
      return refuse(request.id, ErrorCode::Unavailable, store_.last_error());
    }
  }
  server_.reply(request.id, reply);
}

// Of a job that has ended: as it was submitted, without what its queue was like then, which nobody
// remembers. False when the store cannot be read.
bool FrontDoor::add_features(JobId id, pb::ClientReply& reply) {
  const UsageHistory& history = history_.up_to_date();
  if (const Job* const job = driver_->controller().jobs().find(id)) {
    ObservedJob observed{asked_by(job->spec), job->submitted_ms, 0};
    if (job->placed()) observed.start_ms = job->started_ms;
    const auto telemetry = telemetry_ == nullptr ? std::nullopt : telemetry_->find_job(id);
    if (telemetry && telemetry->attempt() == job->key.attempt) observed.live = live_use(*telemetry);
    const WallMs now_ms = clock_.now().wall_ms;
    const QueueFacts queue = queue_facts(driver_->controller(), *job);
    fill(id, now_ms, observe(observed, now_ms, history, queue), *reply.add_job_features());
    return true;
  }
  const std::vector<StoredJob> stored = store_.list_jobs({.ids = {id}});
  if (stored.empty()) return false;
  const StoredJob& job = stored.front();
  const ObservedJob observed{asked_by(job.spec), job.submit_ms, 0};
  fill(id, job.submit_ms, observe(observed, job.submit_ms, history, {}), *reply.add_job_features());
  return true;
}

}  // namespace hyades
