#include "policy/global_choice.hpp"

namespace hyades {
namespace {

constexpr Objective kObjectives[] = {Objective::Wait, Objective::Slowdown};
constexpr std::string_view kNames[] = {"lookahead-wait", "lookahead-slowdown"};
static_assert(std::size(kNames) == global_choices_count - global_rules_count);

}  // namespace

std::string_view global_choice_name(std::size_t choice) {
  return choice < global_rules_count ? global_rules()[choice].name
                                     : kNames[choice - global_rules_count];
}

std::optional<std::size_t> global_choice_named(std::string_view name) {
  for (std::size_t i = 0; i < global_choices_count; ++i) {
    if (global_choice_name(i) == name) return i;
  }
  return std::nullopt;
}

std::optional<Objective> look_ahead_of_choice(std::size_t choice) {
  if (choice < global_rules_count) return std::nullopt;
  return kObjectives[choice - global_rules_count];
}

std::string choices_text(const GlobalChoices& choices) {
  std::string text;
  for (std::size_t i = 0; i < global_choices_count; ++i) {
    if (!choices[i]) continue;
    if (!text.empty()) text += ",";
    text += global_choice_name(i);
  }
  return text;
}

std::optional<GlobalChoices> choices_from(std::string_view text) {
  GlobalChoices choices;
  choices.set(0);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const auto choice = global_choice_named(text.substr(0, comma));
    if (!choice) return std::nullopt;
    choices.set(*choice);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return choices;
}

GlobalChoices every_choice() { return GlobalChoices().set(); }

}  // namespace hyades
