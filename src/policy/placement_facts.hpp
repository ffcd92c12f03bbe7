// What phase 2 knows of nodes: how long each class of work takes on each, which are near each
// other.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/cluster.hpp"
#include "core/config.hpp"

namespace hyades {

// Differences of speed that are none, as a share.
inline constexpr double kSameSpeed = 0.03;

// One class of work on every node, by NodeIndex.
struct ClassFacts {
  WorkClass work;
  // The time that its work takes, beside that on the best node there is. 1: that one. Nodes of
  // which nothing is known take as long as the mean of the others.
  std::vector<double> slowness;
  // What one core of such a job takes of the node's memory bandwidth.
  std::vector<double> bandwidth;
  // Nodes between which a job of this class has no choice to make: as fast (within 3 %), of one
  // group, with as many cores. Fastest first; nodes by index.
  struct Kind {
    double slowness = 1;
    int group = 0;
    std::vector<NodeIndex> nodes;
  };
  std::vector<Kind> kinds;
  bool uneven = false;    // some nodes are faster than others
  bool contends = false;  // a node full of such jobs takes more than its memory gives
};

// Of a queue's nodes.
struct SlownessRange {
  double mean = 1;
  double slowest = 1;
};
SlownessRange slowness_on(const ClassFacts& facts, const std::vector<char>& usable);

class PlacementFacts {
 public:
  void configure(const ClusterConfig& config);
  // Before the questions of one decision; `cluster` must outlive them. Forgets what has changed.
  void look(const Cluster& cluster);

  // An unknown name is the default class. The reference holds until the next look().
  const ClassFacts& of_class(const std::string& name) const;
  // Whether the last look() was at this cluster, and nothing has changed since.
  bool is_of(const Cluster& cluster) const;

  // Whether anything is known of any node.
  bool profiled() const { return profiled_; }
  int group(NodeIndex node) const { return groups_[static_cast<std::size_t>(node)]; }
  int groups() const { return group_count_; }
  // Watts that each core adds when it works; 0: not known.
  double core_watts(NodeIndex node) const;
  const PlacementSettings& settings() const { return config_.placement; }

 private:
  const WorkClass& class_of(const std::string& name) const;
  ClassFacts make(const WorkClass& work) const;
  void add_kinds(ClassFacts& facts) const;

  ClusterConfig config_;
  std::map<std::string, int> group_of_;  // node -> group
  const Cluster* cluster_ = nullptr;
  std::uint64_t inventories_ = 0;
  std::vector<int> groups_;
  int group_count_ = 0;
  bool profiled_ = false;
  mutable std::map<std::string, ClassFacts> classes_;  // made when they are asked for
};

}  // namespace hyades
