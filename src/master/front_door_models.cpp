// The models of the learned policy: which there are, and what admins do with them.
#include <algorithm>

#include "core/controller.hpp"
#include "master/front_door.hpp"
#include "master/model_keeper.hpp"
#include "master/model_list.hpp"
#include "master/shadow_adviser.hpp"
#include "master/telemetry_board.hpp"
#include "policy/backfill_policy.hpp"
#include "policy/global_choice.hpp"
#include "policy/learned/policy_header.hpp"

namespace hyades {

void FrontDoor::show_models(const ClientRequest& request) {
  pb::ClientReply reply;
  const std::string& configured = driver_->controller().config().policy_model;
  std::map<std::string, ModelTally> tallies;
  if (telemetry_ != nullptr) tallies = telemetry_->tallies();
  *reply.mutable_models() = model_list(*learned_.models, configured, tallies, model_glance_);
  server_.reply(request.id, reply);
}

namespace {

bool learns(const ClusterConfig& config) {
  return std::any_of(config.queues.begin(), config.queues.end(),
                     [](const QueueConfig& queue) { return queue.order == QueueOrder::Learned; });
}

}  // namespace

std::string FrontDoor::model_trouble(const ClusterConfig& config) {
  if (!learns(config) || !learned_.models->registry().in_use().empty()) return "";
  const std::string& file = config.policy_model;
  const std::string problem =
      model_glance_.look(file.empty() ? learned::installed_policy_file() : file).problem;
  return problem.empty() ? "" : "; but the learned policy's model cannot be used: " + problem;
}

// Answered when the model was checked and the change is committed.
void FrontDoor::act_on_model(const ClientRequest& request) {
  const Caller caller = caller_of(request);
  if (caller.role != Role::Admin) {
    return refuse(request.id, ErrorCode::Denied,
                  "only an admin may change the model of the learned policy");
  }
  learned_.models->take({request.id, caller.user, request.what.act_on_model()});
}

void FrontDoor::answer_about_models(WallMs now_ms) {
  for (const ModelKeeper::Answer& answer : learned_.models->answers(now_ms)) {
    if (answer.error != ErrorCode::None) {
      refuse(answer.id, answer.error, answer.message);
      continue;
    }
    pb::ClientReply reply;
    reply.set_message(answer.message);
    const bool used = learns(driver_->controller().config());
    if (!used) reply.set_message(answer.message + "; no queue has policy = \"learned\"");
    server_.reply(answer.id, reply);
  }
}

void FrontDoor::add_learned(pb::StatusInfo& status) const {
  if (policy_ == nullptr || policy_->global() == nullptr) return;
  const GlobalPolicy& global = *policy_->global();
  pb::LearnedPolicy& learned = *status.mutable_learned();
  learned.set_off(global.health().off);
  learned.set_failure(global.health().failure);
  learned.set_model(global.health().model);
  learned.set_answers(global.health().answers);
  learned.set_failures(global.health().failures);
  add_shadow(learned);
  pb::LookaheadHealth& ahead = *learned.mutable_looking_ahead();
  ahead.set_off(global.lookahead_health().off);
  ahead.set_failure(global.lookahead_health().failure);
  ahead.set_answers(global.lookahead_health().answers);
  ahead.set_failures(global.lookahead_health().failures);
  for (const QueueConfig& queue : driver_->controller().config().queues) {
    if (!is_advised(queue.order)) continue;
    const QueueConfig now = policy_->rule_of(queue);
    pb::QueueAction& action = *learned.add_queues();
    action.set_queue(queue.name);
    action.set_looks_ahead(queue.order != QueueOrder::Learned);
    const GlobalAdvice* const advice = global.advice(queue.name);
    action.set_by_model(advice != nullptr);
    if (advice != nullptr && !advice->values.empty()) {
      action.set_choice(std::string(global_choice_name(advice->choice)));
    }
    action.set_rule(std::string(to_string(now.order)));
    action.set_reserve(reserve_of(now));
    action.set_reserve_after_s(now.reserve_after_s);
    action.set_ageing(now.ageing);
  }
}

void FrontDoor::add_shadow(pb::LearnedPolicy& learned) const {
  const ModelRegistry& registry = learned_.models->registry();
  learned.set_source(source_in_use(registry, driver_->controller().config().policy_model));
  if (registry.shadow().empty()) return;
  const ShadowAdviser::Health& health = learned_.shadow->health();
  pb::ShadowModel& shadow = *learned.mutable_shadow();
  shadow.set_model(registry.shadow());
  shadow.set_answers(health.answers);
  shadow.set_failures(health.failures);
  shadow.set_failure(health.failure);
}

}  // namespace hyades
