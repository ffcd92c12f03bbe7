// Ways to place jobs that know nothing of what nodes can do.
#pragma once

#include <vector>

#include "core/policy.hpp"
#include "core/prng.hpp"

namespace hyades {

enum class NodeChoice {
  Fullest,   // best-fit: of those that hold it, the one with the fewest free cores
  Emptiest,  // spread: with the most
  Random,
};

// Places of these jobs, one after the other, where they fit beside those before. Ties by node.
// An empty plan: that job finds no room. Looks at every node, for every job.
std::vector<Plan> place_all(const ClusterView& view, const std::vector<const Job*>& jobs,
                            NodeChoice choice, Prng random);

}  // namespace hyades
