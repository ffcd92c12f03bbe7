#include "policy/lookahead.hpp"

#include "policy/rollout.hpp"

namespace hyades {
namespace {

// Infinite, if it is more than that.
double cost_in(const Rollout& rollout, const GlobalAction& action, Objective objective,
               double most = std::numeric_limits<double>::infinity()) {
  const bool for_wait = objective == Objective::Wait;
  const RolloutCost cost = rollout.play(action, !for_wait, {objective, most});
  return for_wait ? cost.wait_s : cost.slowdown;
}

// Every rule with EASY backfilling, without a reserve; where there are jobs to come, also the
// hand-set rule with others. `index-sjbf` is left out: with it, slowdowns were worse.
std::vector<GlobalAction> actions_for(Objective objective) {
  std::vector<GlobalAction> actions = {GlobalAction{}};
  for (std::size_t rule = 0; rule < global_rules_count; ++rule) {
    if (global_rules()[rule].backfill != Backfill::Easy) continue;
    actions.push_back({.rule = rule, .reserve = 0});
  }
  if (objective == Objective::Wait) return actions;
  actions.push_back({.reserve = 0.1});
  actions.push_back({.reserve = 0.2});
  return actions;
}

struct Tried {
  PlayedCosts played;
  GlobalAction best;
};

void note_best(const GlobalAction& action, double cost, Tried& tried) {
  tried.best = action;
  tried.played.least = cost;
  tried.played.best_rule = global_rules()[action.rule].name;
  tried.played.best_reserve = action.reserve;
}

Tried try_all(const Rollout& rollout, Objective objective) {
  Tried tried;
  tried.played.objective = objective;
  const std::vector<GlobalAction>& actions = tried_actions(objective);
  tried.played.hand_set = cost_in(rollout, actions.front(), objective);
  note_best(actions.front(), tried.played.hand_set, tried);
  for (std::size_t i = 1; i < actions.size(); ++i) {
    const double cost = cost_in(rollout, actions[i], objective, tried.played.least);
    if (cost < tried.played.least) note_best(actions[i], cost, tried);
  }
  return tried;
}

}  // namespace

const std::vector<GlobalAction>& tried_actions(Objective objective) {
  static const std::vector<GlobalAction> for_wait = actions_for(Objective::Wait);
  static const std::vector<GlobalAction> for_slowdown = actions_for(Objective::Slowdown);
  return objective == Objective::Wait ? for_wait : for_slowdown;
}

GlobalAdvice look_ahead(const RolloutScene& scene, Objective objective) {
  Tried tried = try_all(Rollout(scene), objective);
  PlayedCosts& played = tried.played;
  const bool departs = played.least < played.hand_set * (1 - least_gain(objective));
  played.cost = departs ? played.least : played.hand_set;
  return {departs ? tried.best : GlobalAction{}, {}, "", played};
}

GlobalAdvice look_ahead(const GlobalQuestion& question) {
  GlobalAdvice advice = look_ahead(question.scene, *question.look_ahead);
  if (question.gate < no_gate) play_beside(question.scene, question.gate, advice);
  return advice;
}

GlobalAdvice advice_of(std::size_t choice, const UnitNumbers& numbers, const RolloutScene& scene) {
  GlobalAdvice advice;
  if (const std::optional<Objective> objective = look_ahead_of_choice(choice)) {
    advice = look_ahead(scene, *objective);
  } else {
    advice.action = global_action(choice, numbers);
  }
  advice.choice = choice;
  return advice;
}

void play_beside(const RolloutScene& scene, double gate, GlobalAdvice& advice) {
  // Looking ahead for slowdown has played the same, and never chooses what costs more.
  if (advice.played && advice.played->objective == Objective::Slowdown) return;
  const Rollout rollout(scene);
  Tried tried = try_all(rollout, Objective::Slowdown);
  PlayedCosts& played = tried.played;
  const double most = played.hand_set * (1 + gate);
  played.cost = cost_in(rollout, advice.action, Objective::Slowdown, most);
  if (played.cost < played.least) note_best(advice.action, played.cost, tried);
  if (played.cost > most) {
    played.gated = true;
    played.cost = played.hand_set;
    advice.action = GlobalAction{};
  }
  advice.played = played;
}

}  // namespace hyades
