#include "hsim/placement_baselines.hpp"

#include <algorithm>

namespace hyades {
namespace {

struct Candidate {
  std::int64_t key = 0;  // least first
  NodeRoom room;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.key != b.key ? a.key < b.key : a.room.node < b.room.node;
  }
};

class Placer {
 public:
  Placer(const ClusterView& view, NodeChoice choice, Prng random)
      : nodes_(view.cluster->nodes()), free_(*view.free), choice_(choice), random_(random) {}

  Plan place(const JobSpec& spec) {
    const auto wanted = static_cast<std::size_t>(std::max(spec.nodes, 1));
    std::vector<Candidate> found = candidates(spec, static_cast<int>(wanted));
    if (found.size() < wanted) return {};
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(wanted),
                      found.end());
    std::vector<NodeRoom> chosen;
    for (std::size_t i = 0; i < wanted; ++i) chosen.push_back(found[i].room);
    const Plan plan = fill_nodes(spec, chosen);
    for (const PlannedShare& share : plan) {
      free_.take(share.node, nodes_[static_cast<std::size_t>(share.node)], spec, share.tasks);
    }
    return plan;
  }

 private:
  // Nodes that hold an even part of the job.
  std::vector<Candidate> candidates(const JobSpec& spec, int wanted) {
    const int part = (spec.tasks + wanted - 1) / wanted;
    const DeviceNeeds needs = free_.needs_of(spec);
    std::vector<Candidate> found;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto node = static_cast<NodeIndex>(i);
      if (!nodes_[i].schedulable() || free_.cores(node) < part * spec.cpus_per_task) continue;
      const int room = free_.capacity(node, nodes_[i], spec, needs);
      if (room >= part) found.push_back({key_of(node), {node, room}});
    }
    return found;
  }

  std::int64_t key_of(NodeIndex node) {
    switch (choice_) {
      case NodeChoice::Fullest:
        return free_.cores(node);
      case NodeChoice::Emptiest:
        return -free_.cores(node);
      case NodeChoice::Random:
        break;
    }
    return static_cast<std::int64_t>(random_.below(1u << 30));
  }

  const std::vector<Node>& nodes_;
  FreeTable free_;
  NodeChoice choice_;
  Prng random_;
};

}  // namespace

std::vector<Plan> place_all(const ClusterView& view, const std::vector<const Job*>& jobs,
                            NodeChoice choice, Prng random) {
  Placer placer(view, choice, random);
  std::vector<Plan> plans;
  for (const Job* const job : jobs) plans.push_back(placer.place(job->spec));
  return plans;
}

}  // namespace hyades
