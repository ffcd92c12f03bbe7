#include "hsim/random_adviser.hpp"

#include "core/prng.hpp"

namespace hyades {

AdviserReply RandomAdviser::reply_to(const GlobalQuestion& question) {
  Prng random(static_cast<std::uint64_t>(question.at_ms));
  UnitNumbers numbers{};
  for (float& number : numbers) number = static_cast<float>(random.below(1'001)) / 1'000;
  const auto rule = static_cast<std::size_t>(random.below(global_rules_count));
  return {GlobalAdvice{global_action(rule, numbers), {}, "", {}}, ""};
}

}  // namespace hyades
