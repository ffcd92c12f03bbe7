#include "hsim/device_places.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hyades {
namespace {

constexpr double kNowhere = std::numeric_limits<double>::infinity();
constexpr double kForbidden = 1e15;  // dearer than all run times together

int devices_on_each(const Job& job) { return job.spec.cpus_per_task; }

WallMs end_of(const Job& job, WallMs now_ms) {
  return now_ms + WallMs{job.spec.time_limit_s} * 1000;
}

std::vector<NodeIndex> nodes_for(const PlacedStart& start, const DevicePlaces& places,
                                 WallMs now_ms) {
  std::vector<NodeIndex> nodes;
  for (std::size_t i = 0; i < start.costs.size(); ++i) {
    const auto node = static_cast<NodeIndex>(i);
    if (start.costs[i] < kNowhere &&
        places.room(node, end_of(*start.job, now_ms)) >= devices_on_each(*start.job)) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

// Of those nodes, as many as the job asks for, from the one at `first` on.
Plan plan_from(const std::vector<NodeIndex>& nodes, std::size_t first, const Job& job) {
  Plan plan;
  const auto count = static_cast<std::size_t>(job.spec.nodes);
  for (std::size_t i = first; i < first + count; ++i) plan.push_back({nodes[i], 1});
  std::sort(plan.begin(), plan.end(),
            [](const PlannedShare& a, const PlannedShare& b) { return a.node < b.node; });
  return plan;
}

int devices_of(const Job& job) { return job.spec.nodes * job.spec.cpus_per_task; }

// Indices of starts, those of most devices first.
std::vector<std::size_t> largest_first(const std::vector<PlacedStart>& starts,
                                       std::vector<std::size_t> some) {
  std::stable_sort(some.begin(), some.end(), [&](std::size_t a, std::size_t b) {
    return devices_of(*starts[a].job) > devices_of(*starts[b].job);
  });
  return some;
}

// Whether these still fit beside each other. Exact where jobs' sizes are powers of two and servers
// are alike; else it may say no too often.
bool all_fit(const std::vector<PlacedStart>& starts, const std::vector<std::size_t>& some,
             DevicePlaces places, WallMs now_ms) {
  for (const std::size_t i : largest_first(starts, some)) {
    const Job& job = *starts[i].job;
    std::vector<NodeIndex> nodes = nodes_for(starts[i], places, now_ms);
    if (nodes.size() < static_cast<std::size_t>(job.spec.nodes)) return false;
    std::stable_sort(nodes.begin(), nodes.end(), [&](NodeIndex a, NodeIndex b) {
      return places.room(a, now_ms) < places.room(b, now_ms);  // the fullest first
    });
    places.take(plan_from(nodes, 0, job), job);
  }
  return true;
}

// Those of `some` in turn, each at its best place that leaves room for the rest of `all`. `prefer`
// puts nodes in the order of a job's liking.
template <typename Prefer>
bool place_in_turn(const std::vector<PlacedStart>& starts, const std::vector<std::size_t>& some,
                   std::vector<std::size_t> all, WallMs now_ms, const Prefer& prefer,
                   DevicePlaces& places, std::vector<Plan>& plans) {
  for (const std::size_t i : some) {
    const Job& job = *starts[i].job;
    std::erase(all, i);
    std::vector<NodeIndex> nodes = nodes_for(starts[i], places, now_ms);
    prefer(starts[i], nodes);
    const auto count = static_cast<std::size_t>(job.spec.nodes);
    for (std::size_t first = 0; first + count <= nodes.size() && plans[i].empty(); ++first) {
      const Plan plan = plan_from(nodes, first, job);
      DevicePlaces left = places;
      left.take(plan, job);
      if (all_fit(starts, all, left, now_ms)) plans[i] = plan;
    }
    if (plans[i].empty()) return false;
    places.take(plans[i], job);
  }
  return true;
}

void cheapest_before(const PlacedStart& start, std::vector<NodeIndex>& nodes) {
  std::stable_sort(nodes.begin(), nodes.end(), [&](NodeIndex a, NodeIndex b) {
    return start.costs[static_cast<std::size_t>(a)] < start.costs[static_cast<std::size_t>(b)];
  });
}

std::vector<std::size_t> all_of(const std::vector<PlacedStart>& starts) {
  std::vector<std::size_t> all(starts.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

// Jobs of one device each, on the devices that are left, at the least cost together.
bool match_singles(const std::vector<PlacedStart>& starts, const std::vector<std::size_t>& single,
                   WallMs now_ms, DevicePlaces& places, std::vector<Plan>& plans) {
  if (single.empty()) return true;
  std::vector<NodeIndex> slots;  // each free device
  for (std::size_t node = 0; node < starts[single.front()].costs.size(); ++node) {
    const auto index = static_cast<NodeIndex>(node);
    slots.insert(slots.end(), static_cast<std::size_t>(std::max(places.room(index, now_ms), 0)),
                 index);
  }
  if (slots.size() < single.size()) return false;
  std::vector<std::vector<double>> costs;
  for (const std::size_t i : single) {
    std::vector<double>& row = costs.emplace_back(slots.size(), kForbidden);
    for (const NodeIndex node : nodes_for(starts[i], places, now_ms)) {
      for (std::size_t slot = 0; slot < slots.size(); ++slot) {
        if (slots[slot] == node) row[slot] = starts[i].costs[static_cast<std::size_t>(node)];
      }
    }
  }
  const std::vector<std::size_t> chosen = least_assignment(costs);
  for (std::size_t at = 0; at < single.size(); ++at) {
    if (costs[at][chosen[at]] >= kForbidden) return false;
    Plan& plan = plans[single[at]];
    plan = {{slots[chosen[at]], 1}};
    if (!places.holds(plan, *starts[single[at]].job)) return false;
    places.take(plan, *starts[single[at]].job);
  }
  return true;
}

}  // namespace

DevicePlaces::DevicePlaces(const ClusterView& view, const Decision& decision, WallMs now_ms,
                           const JobOf& job_of)
    : now_ms_(now_ms) {
  Level& now = levels_.emplace_back(Level{now_ms, {}});
  for (std::size_t i = 0; i < view.cluster->nodes().size(); ++i) {
    now.free.push_back(view.free->cores(static_cast<NodeIndex>(i)));
  }
  for (const Reservation& reservation : decision.reservations) {
    Level later{reservation.start_ms, levels_.front().free};
    view.running->each([&](const RunningJob& running) {
      if (running.expected_end_ms > reservation.start_ms) return;
      for (const NodeShare& share : running.job->placement.shares) {
        later.free[static_cast<std::size_t>(view.cluster->index(share.node))] += share.cores.size();
      }
    });
    for (const PlannedShare& share : reservation.plan) {
      later.free[static_cast<std::size_t>(share.node)] -= devices_on_each(job_of(reservation.job));
    }
    levels_.push_back(std::move(later));
  }
}

int DevicePlaces::room(NodeIndex node, WallMs end_ms) const {
  int room = std::numeric_limits<int>::max();
  for (const Level& level : levels_) {
    if (level.from_ms <= now_ms_ || end_ms > level.from_ms) {
      room = std::min(room, level.free[static_cast<std::size_t>(node)]);
    }
  }
  return room;
}

bool DevicePlaces::holds(const Plan& plan, const Job& job) const {
  return std::all_of(plan.begin(), plan.end(), [&](const PlannedShare& share) {
    return room(share.node, end_of(job, now_ms_)) >= devices_on_each(job);
  });
}

void DevicePlaces::take(const Plan& plan, const Job& job) {
  for (Level& level : levels_) {
    if (level.from_ms > now_ms_ && end_of(job, now_ms_) <= level.from_ms) continue;
    for (const PlannedShare& share : plan) {
      level.free[static_cast<std::size_t>(share.node)] -= devices_on_each(job);
    }
  }
}

PlansTogether cheapest_in_turn(const std::vector<PlacedStart>& starts, DevicePlaces places,
                               WallMs now_ms) {
  std::vector<Plan> plans(starts.size());
  const std::vector<std::size_t> all = all_of(starts);
  if (!place_in_turn(starts, all, all, now_ms, cheapest_before, places, plans)) return std::nullopt;
  return plans;
}

PlansTogether by_chance(const std::vector<PlacedStart>& starts, DevicePlaces places, WallMs now_ms,
                        Prng& prng) {
  const auto shuffle = [&](const PlacedStart&, std::vector<NodeIndex>& nodes) {
    for (std::size_t i = nodes.size(); i > 1; --i) std::swap(nodes[i - 1], nodes[prng.below(i)]);
  };
  std::vector<Plan> plans(starts.size());
  const std::vector<std::size_t> all = all_of(starts);
  if (!place_in_turn(starts, all, all, now_ms, shuffle, places, plans)) return std::nullopt;
  return plans;
}

PlansTogether cheapest_together(const std::vector<PlacedStart>& starts, DevicePlaces places,
                                WallMs now_ms) {
  std::vector<std::size_t> large, single;
  for (const std::size_t i : all_of(starts)) {
    (devices_of(*starts[i].job) > 1 ? large : single).push_back(i);
  }
  std::vector<Plan> plans(starts.size());
  if (!place_in_turn(starts, largest_first(starts, large), all_of(starts), now_ms, cheapest_before,
                     places, plans) ||
      !match_singles(starts, single, now_ms, places, plans)) {
    return std::nullopt;
  }
  return plans;
}

// With potentials of rows and columns; one row after the other finds its shortest path.
std::vector<std::size_t> least_assignment(const std::vector<std::vector<double>>& costs) {
  const std::size_t rows = costs.size(), columns = rows == 0 ? 0 : costs.front().size();
  std::vector<double> of_row(rows + 1), of_column(columns + 1);
  std::vector<std::size_t> row_of(columns + 1), from(columns + 1);  // 0: none; counted from 1
  for (std::size_t row = 1; row <= rows; ++row) {
    std::vector<double> least(columns + 1, kNowhere);
    std::vector<char> done(columns + 1);
    std::size_t at = 0;
    row_of[0] = row;
    do {
      done[at] = 1;
      const std::size_t its = row_of[at];
      std::size_t next = 0;
      double step = kNowhere;
      for (std::size_t j = 1; j <= columns; ++j) {
        if (done[j]) continue;
        const double reduced = costs[its - 1][j - 1] - of_row[its] - of_column[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          from[j] = at;
        }
        if (least[j] < step) {
          step = least[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= columns; ++j) {
        if (!done[j]) {
          least[j] -= step;
          continue;
        }
        of_row[row_of[j]] += step;
        of_column[j] -= step;
      }
      at = next;
    } while (row_of[at] != 0);
    for (; at != 0; at = from[at]) row_of[at] = row_of[from[at]];
  }
  std::vector<std::size_t> chosen(rows);
  for (std::size_t j = 1; j <= columns; ++j) {
    if (row_of[j] != 0) chosen[row_of[j] - 1] = j - 1;
  }
  return chosen;
}

}  // namespace hyades
