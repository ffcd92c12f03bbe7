// Random problems of phase 2 that are small enough for the optimum. The same seed, the same
// problem, everywhere.
#pragma once

#include <cstdint>

#include "core/prng.hpp"
#include "policy/local_problem.hpp"

namespace hyades {

struct InstanceShape {
  int jobs_most = 6;  // 2 at least
  int places_most = 8;
  int nodes_most = 5;
  bool linear = false;  // no row has a weight
};

// Some jobs on some nodes that differ in speed: cores are scarce, memory bandwidth has a knee, in
// every other problem uneven loads cost, too. All first places fit together, often only just.
LocalProblem random_instance(std::uint64_t seed, const InstanceShape& shape = {});

// Places by chance that fit together; the first ones where chance finds none.
LocalChoice random_choice(const LocalProblem& problem, Prng& random);

}  // namespace hyades
