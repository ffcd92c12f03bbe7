// Why a job stands where it does: what its place was expected to cost, and what others would have.
#pragma once

#include <string>

namespace hyades {

// Seconds, or worth as much: modelled, not measured.
struct PlaceCost {
  double run_s = 0;         // until the job ends there, by itself
  double contention_s = 0;  // lost with others on the memory of its nodes
  double transfer_s = 0;    // lost between its nodes
  double energy_s = 0;      // joules, at the configured price
  double balance_s = 0;     // what uneven loads are said to be worth

  double total() const { return run_s + contention_s + transfer_s + energy_s + balance_s; }

  friend bool operator==(const PlaceCost&, const PlaceCost&) = default;
};

struct PlacementWhy {
  std::string work_class;
  int places = 0;  // that were compared; 0: none were, and nothing else is said
  PlaceCost cost;
  std::string first_fit;  // nodes that the global policy would have used; "": the same
  PlaceCost first_fit_cost;
  std::string
      runner_up;  // nodes of the best other place, all other jobs at theirs; "": there is none
  PlaceCost runner_up_cost;

  friend bool operator==(const PlacementWhy&, const PlacementWhy&) = default;
};

}  // namespace hyades
