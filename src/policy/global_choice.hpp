// What a model chooses from: the rules of the portfolio (policy/global_action.hpp), and looking
// ahead, which comes down to one of them when it is asked (policy/lookahead.hpp).
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "policy/global_action.hpp"

namespace hyades {

constexpr std::size_t global_choices_count = global_rules_count + 2;
// Looking ahead for slowdown: the best that is known without a model (docs/results/learned.md).
constexpr std::size_t expert_choice = global_choices_count - 1;
using GlobalChoices = std::bitset<global_choices_count>;

// "saf", "lookahead-wait". The first is the hand-set rule.
std::string_view global_choice_name(std::size_t choice);
// Nothing: it is none.
std::optional<std::size_t> global_choice_named(std::string_view name);
// What looking ahead makes small there; nothing: the choice is a rule.
std::optional<Objective> look_ahead_of_choice(std::size_t choice);

// Names with commas, and back. Nothing: some name is none; the hand-set rule is always among them.
std::string choices_text(const GlobalChoices& choices);
std::optional<GlobalChoices> choices_from(std::string_view text);
GlobalChoices every_choice();

}  // namespace hyades
