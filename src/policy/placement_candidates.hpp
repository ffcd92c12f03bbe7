// The places that phase 2 compares for one job: the one it has, and others like those that people
// would think of. On the fastest nodes, on each kind of node alone, within one group; the roomiest
// and the fullest of each kind.
#pragma once

#include <vector>

#include "policy/placement_facts.hpp"

namespace hyades {

// What a job that starts asks for, and where it may go.
struct PlacementWish {
  const JobSpec* spec = nullptr;
  const std::vector<char>* usable = nullptr;  // its queue's nodes
  const FreeTable* free = nullptr;            // what it may take
  NodeIndex avoid = -1;                       // the node that failed it the last time
  const ClassFacts* facts = nullptr;
  std::size_t most = 64;  // places
};

class PlacementCandidates {
 public:
  explicit PlacementCandidates(const std::vector<Node>& nodes) : nodes_(nodes) {}

  // `now` first; each place holds all of the job's tasks, on as many nodes as it asked for, or else
  // on no more than `now` has. Jobs that are asked for in turn are shown different nodes of a kind.
  std::vector<Plan> of(const PlacementWish& wish, const Plan& now);

 private:
  struct Search;

  const std::vector<Node>& nodes_;
  std::size_t turn_ = 0;  // nodes of a kind that others were shown
};

}  // namespace hyades
