#include "policy/placement_candidates.hpp"

#include <algorithm>

namespace hyades {
namespace {

constexpr std::size_t kLookedAtMost = 512;  // nodes of a kind, for one job
constexpr std::size_t kKindsMost = 24;
constexpr std::size_t kOfEachSpeedLeast = 2;

bool roomier(const NodeRoom& a, const NodeRoom& b) {
  return a.tasks != b.tasks ? a.tasks > b.tasks : a.node < b.node;
}

}  // namespace

// For one job.
struct PlacementCandidates::Search {
  const std::vector<Node>& nodes;
  const PlacementWish& wish;
  const Plan& now;
  std::size_t turn;
  DeviceNeeds needs = wish.free->needs_of(*wish.spec);
  std::vector<Plan> found = {now};

  bool full() const { return found.size() >= wish.most; }

  void add(Plan plan) {
    if (plan.empty() || full()) return;
    if (std::find(found.begin(), found.end(), plan) == found.end()) {
      found.push_back(std::move(plan));
    }
  }

  int room_on(NodeIndex node) const {
    const auto at = static_cast<std::size_t>(node);
    if (!(*wish.usable)[at] || node == wish.avoid) return 0;
    if (wish.free->cores(node) < wish.spec->cpus_per_task) return 0;
    if (!node_allowed(nodes[at], *wish.spec)) return 0;
    return wish.free->capacity(node, nodes[at], *wish.spec, needs);
  }

  // Up to `most` nodes of the kind that hold `tasks` at least, from its turn on.
  std::vector<NodeRoom> rooms(const ClassFacts::Kind& kind, int tasks, std::size_t most) const {
    std::vector<NodeRoom> out;
    const std::int64_t cores = std::int64_t{tasks} * wish.spec->cpus_per_task;
    std::size_t looked_at = 0;
    for (std::size_t i = 0; i < kind.nodes.size() && out.size() < most; ++i) {
      const NodeIndex node = kind.nodes[(turn + i) % kind.nodes.size()];
      if (wish.free->cores(node) < cores) continue;  // full ones are passed quickly
      if (++looked_at > kLookedAtMost) break;
      const int room = room_on(node);
      if (room >= tasks) out.push_back({node, room});
    }
    return out;
  }

  // Where kinds that are as fast as the one at `first` end.
  std::size_t end_of_speed(std::size_t first) const {
    const auto& kinds = wish.facts->kinds;
    std::size_t end = first + 1;
    while (end < kinds.size() && kinds[end].slowness < (1 + kSameSpeed) * kinds[first].slowness)
      ++end;
    return end;
  }

  // One node for the whole job: some of each speed, in whatever group, since it has no others.
  void on_one_node() {
    const auto& kinds = wish.facts->kinds;
    std::size_t speeds = 0;
    for (std::size_t k = 0; k < kinds.size(); k = end_of_speed(k)) ++speeds;
    const std::size_t each =
        std::max(wish.most / std::max<std::size_t>(speeds, 1), kOfEachSpeedLeast);
    for (std::size_t first = 0; first < kinds.size() && !full();) {
      const std::size_t end = end_of_speed(first), count = end - first;
      std::size_t left = each;
      for (std::size_t i = 0; i < count && left > 0; ++i) {
        const ClassFacts::Kind& kind = kinds[first + (turn + i) % count];
        for (const NodeRoom& room : rooms(kind, wish.spec->tasks, left)) {
          add({{room.node, wish.spec->tasks}});
          --left;
        }
      }
      first = end;
    }
  }

  // The fewest, or as many as it asks for, of the roomiest.
  Plan on_several(std::vector<NodeRoom> from) const {
    const auto nodes =
        static_cast<std::size_t>(wish.spec->nodes > 0 ? wish.spec->nodes : now.size());
    if (from.size() < nodes && wish.spec->nodes > 0) return {};
    if (from.size() > nodes) {
      std::nth_element(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(nodes), from.end(),
                       roomier);
      from.resize(nodes);
    }
    std::sort(from.begin(), from.end(), roomier);
    int room = 0;
    std::size_t count = 0;
    while (count < from.size() && (wish.spec->nodes > 0 || room < wish.spec->tasks)) {
      room += from[count++].tasks;
    }
    if (room < wish.spec->tasks) return {};
    from.resize(count);
    return fill_nodes(*wish.spec, from);
  }

  void on_several_nodes() {
    const auto& kinds = wish.facts->kinds;
    const std::size_t wanted = 2 * now.size();
    std::vector<std::vector<NodeRoom>> of_kind;
    std::vector<int> groups;
    for (std::size_t k = 0; k < kinds.size() && of_kind.size() < kKindsMost; ++k) {
      std::vector<NodeRoom> its = rooms(kinds[k], 1, wanted);
      if (its.empty()) continue;
      add(on_several(its));
      of_kind.push_back(std::move(its));
      groups.push_back(kinds[k].group);
    }
    // Kind by kind, fastest first: wherever they are, and in each group alone.
    std::vector<NodeRoom> all;
    for (std::size_t k = 0; k < of_kind.size() && !full(); ++k) {
      all.insert(all.end(), of_kind[k].begin(), of_kind[k].end());
      if (k > 0) add(on_several(all));
    }
    for (std::size_t first = 0; first < of_kind.size() && !full(); ++first) {
      std::vector<NodeRoom> near = of_kind[first];
      for (std::size_t k = first + 1; k < of_kind.size(); ++k) {
        if (groups[k] != groups[first]) continue;
        near.insert(near.end(), of_kind[k].begin(), of_kind[k].end());
        add(on_several(near));
      }
    }
  }
};

std::vector<Plan> PlacementCandidates::of(const PlacementWish& wish, const Plan& now) {
  Search search{nodes_, wish, now, turn_};
  if (wish.spec->nodes <= 1 && now.size() == 1) {
    search.on_one_node();
  } else {
    search.on_several_nodes();
  }
  turn_ += now.size();
  return std::move(search.found);
}

}  // namespace hyades
