#include "cli/placement_text.hpp"

#include <cmath>
#include <utility>

#include "cli/quantity.hpp"

namespace hyades {
namespace {

std::vector<std::pair<std::string, double>> terms_of(const pb::PlaceCost& cost) {
  return {{"run", cost.run_s()},
          {"contention", cost.contention_s()},
          {"transfer", cost.transfer_s()},
          {"energy", cost.energy_s()},
          {"balance", cost.balance_s()}};
}

double total(const pb::PlaceCost& cost) {
  double sum = 0;
  for (const auto& [name, seconds] : terms_of(cost)) sum += seconds;
  return sum;
}

std::string number(double seconds) {
  return printed(std::abs(seconds) < 999.5 ? "%.3g" : "%.0f", seconds);
}

// "652 s (run 600, contention 52)"
std::string cost_text(const pb::PlaceCost& cost) {
  std::string terms;
  for (const auto& [name, seconds] : terms_of(cost)) {
    if (seconds == 0) continue;
    terms += (terms.empty() ? "" : ", ") + name + " " + number(seconds);
  }
  return number(total(cost)) + " s (" + terms + ")";
}

Json cost_json(const pb::PlaceCost& cost) {
  Json out;
  for (const auto& [name, seconds] : terms_of(cost)) out[name] = seconds;
  out["total"] = total(cost);
  return out;
}

}  // namespace

std::vector<std::string> placement_lines(const pb::PlacementWhy& why) {
  std::vector<std::string> lines;
  // Where another place is cheaper, others that started with it gain more by having that.
  const auto other = [&](const std::string& name, const pb::PlaceCost& cost) {
    return name + ": " + cost_text(cost) +
           (total(cost) < total(why.cost()) ? "; it made way for others" : "");
  };
  lines.push_back("chosen of " + std::to_string(why.places()) + " places for class " +
                  why.work_class() + ", modelled: " + cost_text(why.cost()));
  if (!why.first_fit().empty()) {
    lines.push_back(other("first fit, " + why.first_fit(), why.first_fit_cost()));
  }
  if (!why.runner_up().empty() && why.runner_up() != why.first_fit()) {
    lines.push_back(other("runner-up, " + why.runner_up(), why.runner_up_cost()));
  }
  return lines;
}

Json placement_json(const pb::PlacementWhy& why) {
  const bool moved = !why.first_fit().empty(), rivalled = !why.runner_up().empty();
  return {{"class", why.work_class()},
          {"places", why.places()},
          {"modelled", true},
          {"cost", cost_json(why.cost())},
          {"first_fit", text_json(why.first_fit())},
          {"first_fit_cost", moved ? cost_json(why.first_fit_cost()) : Json(nullptr)},
          {"runner_up", text_json(why.runner_up())},
          {"runner_up_cost", rivalled ? cost_json(why.runner_up_cost()) : Json(nullptr)}};
}

}  // namespace hyades
