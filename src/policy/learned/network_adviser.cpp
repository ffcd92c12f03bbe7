#include "policy/learned/network_adviser.hpp"

namespace hyades::learned {

AdviserReply reply_of(const Evaluation& evaluation, double margin, const std::string& model,
                      const RolloutScene& scene) {
  if (!sound(evaluation)) return {std::nullopt, "the model answered with what is no number"};
  GlobalAdvice advice;
  if (const std::optional<std::size_t> choice = chosen_by(evaluation, margin)) {
    advice = advice_of(*choice, evaluation.numbers[*choice], scene);
  }
  advice.model = model;
  for (const float gain : evaluation.gains) advice.values.push_back(evaluation.hand_set + gain);
  return {std::move(advice), ""};
}

}  // namespace hyades::learned
