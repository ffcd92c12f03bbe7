#include "hsim/device_lp.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>

namespace hyades {
namespace {

constexpr double kTiny = 1e-10;
constexpr int kStepsMost = 100'000;  // far more than any needs: rounding could still run in circles

class Tableau {
 public:
  explicit Tableau(const LinearProgram& program)
      : variables_(program.objective.size()),
        rows_(program.rows.size()),
        width_(variables_ + rows_ + 1),
        cells_((rows_ + 1) * width_) {
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t i = 0; i < variables_; ++i) at(row, i) = program.rows[row][i];
      at(row, variables_ + row) = 1;
      at(row, width_ - 1) = program.bounds[row];
      basis_.push_back(variables_ + row);
    }
    for (std::size_t i = 0; i < variables_; ++i) at(rows_, i) = -program.objective[i];
  }

  LinearOptimum solve() {
    std::size_t without_gain = 0;
    for (int steps = 0;; ++steps) {
      if (steps == kStepsMost) throw std::runtime_error("a linear program does not settle");
      // Always the lowest column after many steps that gained nothing: that never runs in circles
      // (Bland 1977).
      const std::size_t column = entering(without_gain > rows_ + variables_);
      if (column == width_) break;
      const std::size_t row = leaving(column);
      if (row == rows_) return {};
      const double before = value();
      pivot(row, column);
      without_gain = value() > before + kTiny ? 0 : without_gain + 1;
    }
    LinearOptimum found{true, value(), std::vector<double>(variables_), {}};
    for (std::size_t row = 0; row < rows_; ++row) {
      if (basis_[row] < variables_) found.x[basis_[row]] = at(row, width_ - 1);
      found.prices.push_back(at(rows_, variables_ + row));
    }
    return found;
  }

 private:
  double& at(std::size_t row, std::size_t column) { return cells_[row * width_ + column]; }
  double value() { return at(rows_, width_ - 1); }

  std::size_t entering(bool lowest) {
    std::size_t best = width_;
    for (std::size_t i = 0; i + 1 < width_; ++i) {
      if (at(rows_, i) >= -kTiny) continue;
      if (best == width_ || at(rows_, i) < at(rows_, best)) best = i;
      if (lowest) break;
    }
    return best;
  }

  std::size_t leaving(std::size_t column) {
    std::size_t best = rows_;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t row = 0; row < rows_; ++row) {
      if (at(row, column) <= kTiny) continue;
      const double ratio = at(row, width_ - 1) / at(row, column);
      const bool tie = best < rows_ && std::abs(ratio - least) <= kTiny;
      if (tie ? basis_[row] < basis_[best] : ratio < least) {
        best = row;
        least = ratio;
      }
    }
    return best;
  }

  void pivot(std::size_t row, std::size_t column) {
    const double by = at(row, column);
    for (std::size_t i = 0; i < width_; ++i) at(row, i) /= by;
    for (std::size_t other = 0; other <= rows_; ++other) {
      const double factor = at(other, column);
      if (other == row || factor == 0) continue;
      for (std::size_t i = 0; i < width_; ++i) at(other, i) -= factor * at(row, i);
    }
    basis_[row] = column;
  }

  std::size_t variables_, rows_, width_;
  std::vector<double> cells_;  // the last row is the objective's, the last column the bounds'
  std::vector<std::size_t> basis_;
};

}  // namespace

LinearOptimum maximise(const LinearProgram& program) { return Tableau(program).solve(); }

}  // namespace hyades
