#include "master/decision_recorder.hpp"

#include "policy/adviser_bytes.hpp"
#include "policy/global_choice.hpp"

namespace hyades {

pb::PlayedCosts to_proto(const PlayedCosts& played) {
  pb::PlayedCosts out;
  out.set_objective(std::string(to_string(played.objective)));
  out.set_cost(played.cost);
  out.set_hand_set(played.hand_set);
  out.set_least(played.least);
  out.set_best_rule(played.best_rule);
  out.set_best_reserve(played.best_reserve);
  out.set_gated(played.gated);
  return out;
}

void DecisionRecorder::ask(const GlobalQuestion& question) {
  question_ = question;
  adviser_.ask(question);
}

std::optional<AdviserReply> DecisionRecorder::answer() {
  std::optional<AdviserReply> reply = adviser_.answer();
  if (!reply || !reply->advice || !legal(reply->advice->action)) return reply;
  const GlobalAdvice& advice = *reply->advice;
  // It looks ahead every minute; what changes nothing is not worth keeping.
  const Kept kept{question_.look_ahead.has_value(), advice.action};
  const auto last = last_.find(question_.queue);
  if (kept.looked_ahead && last != last_.end() && last->second == kept) return reply;
  last_[question_.queue] = kept;
  pb::PolicyDecision decision;
  decision.set_at_ms(question_.at_ms);
  decision.set_queue(question_.queue);
  decision.set_model(advice.model);
  decision.set_rule(std::string(global_rules()[advice.action.rule].name));
  decision.set_reserve(advice.action.reserve);
  decision.set_reserve_after_s(advice.action.reserve_after_s);
  decision.set_ageing(advice.action.ageing);
  if (!advice.values.empty()) decision.set_choice(std::string(global_choice_name(advice.choice)));
  for (std::size_t i = 0; i < advice.values.size() && i < global_choices_count; ++i) {
    pb::RuleValue& value = *decision.add_values();
    value.set_rule(std::string(global_choice_name(i)));
    value.set_value(static_cast<double>(advice.values[i]));
  }
  if (advice.played) *decision.mutable_played() = to_proto(*advice.played);
  decision.set_question(to_bytes(NumberedQuestion{1, question_}));
  keep_(decision);
  return reply;
}

}  // namespace hyades
