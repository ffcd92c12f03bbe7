// Linear programs small enough for a dense tableau.
#pragma once

#include <vector>

namespace hyades {

// Maximise objective * x, with rows * x <= bounds and x >= 0; no bound is below 0, so that x = 0 is
// a start.
struct LinearProgram {
  std::vector<double> objective;
  std::vector<std::vector<double>> rows;
  std::vector<double> bounds;
};

struct LinearOptimum {
  bool bounded = false;
  double value = 0;
  std::vector<double> x;
  std::vector<double> prices;  // duals, of each row: what one more of its bound is worth
};

// The simplex method. Deterministic. Throws std::runtime_error where rounding keeps it from ending.
LinearOptimum maximise(const LinearProgram& program);

}  // namespace hyades
