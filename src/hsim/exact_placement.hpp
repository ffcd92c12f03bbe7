// The optimum of small problems of phase 2, to compare with: branch and bound over whole choices.
//
// The bound of a partial choice is what it costs, and for each job that is left the least that one
// of its places would add to it alone. Rows cost the more the fuller they are, so that together
// they add no less.
#pragma once

#include <cstddef>

#include "policy/local_problem.hpp"

namespace hyades {

struct ExactPlacement {
  LocalChoice choice;  // empty: nothing fits
  double cost = std::numeric_limits<double>::infinity();
  bool complete = true;  // false: `looks` were not enough, and there may be better ones
};

ExactPlacement exact_placement(const LocalProblem& problem, std::size_t looks = 50'000'000);

}  // namespace hyades
