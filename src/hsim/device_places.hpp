// Where jobs that start together could go instead, for the baselines of a study of devices. Servers
// are nodes whose devices, each with a core, are all that jobs ask for.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/policy.hpp"
#include "core/prng.hpp"

namespace hyades {

// What may be given away: now, and when a reservation begins, beside it.
class DevicePlaces {
 public:
  using JobOf = std::function<const Job&(JobId)>;
  DevicePlaces(const ClusterView& view, const Decision& decision, WallMs now_ms,
               const JobOf& job_of);

  // Devices of the node that a job may hold until then.
  int room(NodeIndex node, WallMs end_ms) const;
  bool holds(const Plan& plan, const Job& job) const;
  void take(const Plan& plan, const Job& job);

 private:
  struct Level {
    WallMs from_ms = 0;
    std::vector<int> free;  // by node
  };
  WallMs now_ms_;
  std::vector<Level> levels_;
};

// A job that starts, and what each node would cost it.
struct PlacedStart {
  const Job* job = nullptr;
  std::vector<double> costs;  // by node; infinity: not there
};

// Other places for all of them, in the order of the starts; nothing: none were found. Each leaves
// room for those that come after it.
using PlansTogether = std::optional<std::vector<Plan>>;
// Each in turn where its dearest node costs least.
PlansTogether cheapest_in_turn(const std::vector<PlacedStart>& starts, DevicePlaces places,
                               WallMs now_ms);
PlansTogether by_chance(const std::vector<PlacedStart>& starts, DevicePlaces places, WallMs now_ms,
                        Prng& prng);
// Jobs of several devices in turn, the largest first; then those of one device each so that their
// costs add up to the least.
PlansTogether cheapest_together(const std::vector<PlacedStart>& starts, DevicePlaces places,
                                WallMs now_ms);

// The column of each row, each column once, so that the sum of costs is least (the Hungarian
// method, Kuhn 1955). No more rows than columns; costs are finite.
std::vector<std::size_t> least_assignment(const std::vector<std::vector<double>>& costs);

}  // namespace hyades
