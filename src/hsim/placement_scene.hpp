// A cluster of unlike nodes, partly occupied, and jobs that all start at once: what phase 2 is
// studied on. The same seed, the same scene, everywhere. Its nodes' figures are modelled: four
// kinds of node that differ as devices of different years and makers do.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "core/policy.hpp"
#include "core/prng.hpp"

namespace hyades {

class PlacementScene {
 public:
  // So many jobs, of all work classes, on one node or several; fewer if there is no room at all.
  PlacementScene(int nodes, int starts, std::uint64_t seed);
  PlacementScene(const PlacementScene&) = delete;
  PlacementScene& operator=(const PlacementScene&) = delete;

  static constexpr WallMs now_ms = 1'750'000'000'000;
  static constexpr int group_nodes = 32;

  const ClusterConfig& config() const { return config_; }
  const Cluster& cluster() const { return cluster_; }
  const std::vector<QueueView>& queues() const { return queues_; }
  ClusterView view() const { return {&cluster_, &running_, &cluster_.free()}; }
  const Job& job(JobId id) const;

  // Behind all others: one for all nodes, which must wait and is promised a time.
  void add_wide_job();

 private:
  void add_node(int number);
  void occupy();
  void occupy(NodeIndex node);
  void add_starts(int starts);
  Job& new_job();
  void ask(JobSpec& spec);
  void enqueue(const Job& job);
  double noisy(double figure);

  Prng random_;
  ClusterConfig config_;
  Cluster cluster_;
  std::list<Job> jobs_;  // by id
  std::vector<const Job*> by_id_;
  RunningList running_;
  WaitingList waiting_;
  std::vector<QueueView> queues_;
  std::size_t kind_ = 0;  // of the chassis that is being filled
};

}  // namespace hyades
