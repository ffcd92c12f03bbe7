// Looks ahead: plays a queue's near future under several rules and says which costs least. Needs no
// model. Two things may be made small: how long jobs wait, where no more jobs are played than are
// there now; or how much that adds to their slowdowns, where those that came at these hours a day
// ago come again. (Without those to come, whatever empties the queue soonest looks best for
// slowdown, and it is not.)
#pragma once

#include <vector>

#include "policy/adviser.hpp"
#include "policy/global_choice.hpp"

namespace hyades {

// What is tried: the hand-set action first.
const std::vector<GlobalAction>& tried_actions(Objective objective);

// Another action than the hand-set one has to cost less than that by this share.
constexpr double least_gain(Objective objective) {
  return objective == Objective::Wait ? 0.02 : 0.05;
}

// The action that costs least.
GlobalAdvice look_ahead(const RolloutScene& scene, Objective objective);

// The answer to a question to look ahead.
GlobalAdvice look_ahead(const GlobalQuestion& question);

// What a choice comes down to, and what was played to find that. `numbers` are of the choice,
// unless it is looking ahead.
GlobalAdvice advice_of(std::size_t choice, const UnitNumbers& numbers, const RolloutScene& scene);

// Plays what a model chose beside what is tried. Where it costs more than the hand-set action by
// more than the share `gate`, the advice becomes that action.
void play_beside(const RolloutScene& scene, double gate, GlobalAdvice& advice);

}  // namespace hyades
