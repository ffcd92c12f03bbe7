#include "policy/global_action.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

constexpr std::array<GlobalRule, global_rules_count> kRules = {{
    {"index", QueueOrder::Index},
    {"index-sjbf", QueueOrder::Index, Backfill::EasySjbf},
    {"saf", QueueOrder::Saf},
    {"sjf", QueueOrder::Sjf},
    {"lxf", QueueOrder::Lxf},
    {"wfp3", QueueOrder::Wfp3},
    {"f1", QueueOrder::F1},
    {"f2", QueueOrder::F2},
    {"mf", QueueOrder::Multifactor},
    {"fcfs", QueueOrder::Fcfs},
}};

bool within(double value, double least, double most) { return value >= least && value <= most; }

}  // namespace

std::span<const GlobalRule, global_rules_count> global_rules() { return kRules; }

// Square roots where small values matter most, a logarithm for times.
UnitNumbers unit_numbers(const GlobalAction& action) {
  const double times = GlobalAction::after_most_s / GlobalAction::after_least_s;
  return {static_cast<float>(std::sqrt(action.reserve / GlobalAction::reserve_most)),
          static_cast<float>(std::log(action.reserve_after_s / GlobalAction::after_least_s) /
                             std::log(times)),
          static_cast<float>(std::sqrt(action.ageing / GlobalAction::ageing_most))};
}

GlobalAction global_action(std::size_t rule, const UnitNumbers& numbers) {
  const double times = GlobalAction::after_most_s / GlobalAction::after_least_s;
  const auto unit = [&](std::size_t i) {
    return std::clamp(static_cast<double>(numbers[i]), 0.0, 1.0);
  };
  GlobalAction action;
  action.rule = rule;
  action.reserve = GlobalAction::reserve_most * unit(0) * unit(0);
  action.reserve_after_s =
      std::min(GlobalAction::after_least_s * std::pow(times, unit(1)), GlobalAction::after_most_s);
  action.ageing = GlobalAction::ageing_most * unit(2) * unit(2);
  return action;
}

bool legal(const GlobalAction& action) {
  return action.rule < global_rules_count &&
         within(action.reserve, 0, GlobalAction::reserve_most) &&
         within(action.reserve_after_s, GlobalAction::after_least_s, GlobalAction::after_most_s) &&
         within(action.ageing, 0, GlobalAction::ageing_most);
}

QueueConfig under(QueueConfig queue, const GlobalAction& action) {
  const GlobalRule& rule = kRules[action.rule];
  queue.run_times = run_times_of(queue);  // of the queue, not of the rule
  queue.order = rule.order;
  queue.backfill = rule.backfill;
  queue.reserve = action.reserve;
  queue.reserve_after_s = static_cast<int>(action.reserve_after_s);
  queue.ageing = action.ageing;
  return queue;
}

}  // namespace hyades
