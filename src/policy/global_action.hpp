// What the global policy may decide for a queue for a while: a rule of the portfolio, and how much
// is kept back for jobs to come. Whatever it says, reservations, limits and the guard stand.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "core/config.hpp"

namespace hyades {

struct GlobalRule {
  std::string_view name;  // "index"
  QueueOrder order = QueueOrder::Index;
  Backfill backfill = Backfill::Easy;
};

constexpr std::size_t global_rules_count = 10;
constexpr std::size_t global_numbers_count = 3;
using UnitNumbers = std::array<float, global_numbers_count>;  // each 0..1

// The portfolio. A model's answers go by its places, so a change makes older models useless.
std::span<const GlobalRule, global_rules_count> global_rules();

// The default is what a careful admin would set, and what holds without an answer.
struct GlobalAction {
  std::size_t rule = 0;            // place in the portfolio
  double reserve = 0.05;           // share of the queue's cores, 0..reserve_most
  double reserve_after_s = 3'600;  // after_least_s..after_most_s
  double ageing = 0;               // per hour, 0..ageing_most; see QueueConfig

  static constexpr double reserve_most = 0.3;
  static constexpr double after_least_s = 600;
  static constexpr double after_most_s = 6 * 3'600;
  static constexpr double ageing_most = 1;

  friend bool operator==(const GlobalAction&, const GlobalAction&) = default;
};

// The action's numbers on scales on which equal steps matter about as much.
UnitNumbers unit_numbers(const GlobalAction& action);
GlobalAction global_action(std::size_t rule, const UnitNumbers& numbers);

// As the margin by which a model must expect to gain before it departs from the default: one that
// it never expects.
constexpr double never_departs = 1e9;

// All finite and within their bounds.
bool legal(const GlobalAction& action);

// The queue as the action has it. What is configured of run times stands.
QueueConfig under(QueueConfig queue, const GlobalAction& action);

}  // namespace hyades
