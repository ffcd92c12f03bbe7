// Gradient refinement: F of local_problem.hpp, made smaller over the simplices by exponentiated
// gradient (mirror descent with entropy: Kivinen and Warmuth 1997; Beck and Teboulle 2003). What
// does not fit costs, ever more: a quadratic penalty, in stages.
#pragma once

#include <vector>

#include "policy/local_problem.hpp"

namespace hyades {

// x, by all places of the problem. Each job's add up to 1.
using LocalShares = std::vector<double>;

class LocalSmoothCost {
 public:
  // Besides F: penalty / 2 for each unit above a capacity, squared.
  LocalSmoothCost(const LocalProblem& problem, double penalty)
      : problem_(problem), penalty_(penalty) {}

  double value(const LocalShares& x);
  // dF/dx at the shares of the last value().
  void gradient(LocalShares& out) const;

 private:
  const LocalProblem& problem_;
  double penalty_;
  std::vector<double> loads_;
};

struct DescentSettings {
  int stages = 4;  // of the penalty, each ten times the one before
  int steps = 15;  // of each stage; one that does not make the cost smaller is taken back
};

struct Descent {
  LocalShares x;
  int steps = 0;  // taken
};

// From shares by what places cost by themselves.
Descent descend(const LocalProblem& problem, const DescentSettings& settings = {});

}  // namespace hyades
