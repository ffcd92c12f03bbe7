#include "master/decision_recorder.hpp"

#include "policy/adviser_bytes.hpp"

namespace hyades {

void DecisionRecorder::ask(const GlobalQuestion& question) {
  question_ = question;
  adviser_.ask(question);
}

std::optional<AdviserReply> DecisionRecorder::answer() {
  std::optional<AdviserReply> reply = adviser_.answer();
  if (!reply || !reply->advice || !legal(reply->advice->action)) return reply;
  const GlobalAdvice& advice = *reply->advice;
  pb::PolicyDecision decision;
  decision.set_at_ms(question_.at_ms);
  decision.set_queue(question_.queue);
  decision.set_model(advice.model);
  decision.set_rule(std::string(global_rules()[advice.action.rule].name));
  decision.set_reserve(advice.action.reserve);
  decision.set_reserve_after_s(advice.action.reserve_after_s);
  decision.set_ageing(advice.action.ageing);
  for (std::size_t i = 0; i < advice.values.size() && i < global_rules_count; ++i) {
    pb::RuleValue& value = *decision.add_values();
    value.set_rule(std::string(global_rules()[i].name));
    value.set_value(static_cast<double>(advice.values[i]));
  }
  decision.set_question(to_bytes(NumberedState{1, question_.state}));
  keep_(decision);
  return reply;
}

}  // namespace hyades
