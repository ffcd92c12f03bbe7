#include "policy/local_problem.hpp"

#include <algorithm>

namespace hyades {

std::uint32_t LocalProblem::add_row(const LocalRow& row) {
  rows_.push_back(row);
  return static_cast<std::uint32_t>(rows_.size() - 1);
}

void LocalProblem::add_place(double cost, std::span<const LocalUse> uses) {
  cost_.push_back(cost);
  uses_.insert(uses_.end(), uses.begin(), uses.end());
  first_use_.push_back(uses_.size());
  ++first_.back();
}

LocalLoads::LocalLoads(const LocalProblem& problem) : problem_(problem) {
  loads_.reserve(problem.rows().size());
  for (const LocalRow& row : problem.rows()) loads_.push_back(row.load);
}

void LocalLoads::change(const LocalPlace& place, double sign) {
  for (const LocalUse& use : place.uses) loads_[use.row] += sign * use.amount;
}

bool LocalLoads::holds(const LocalPlace& place) const {
  for (const LocalUse& use : place.uses) {
    if (loads_[use.row] + use.amount > problem_.rows()[use.row].capacity + kLocalTolerance) {
      return false;
    }
  }
  return true;
}

double LocalLoads::added(const LocalPlace& place) const {
  double cost = place.cost;
  for (const LocalUse& use : place.uses) {
    const LocalRow& row = problem_.rows()[use.row];
    if (row.weight == 0) continue;
    cost += row_cost(row, loads_[use.row] + use.amount) - row_cost(row, loads_[use.row]);
  }
  return cost;
}

CostRange cost_range(const LocalProblem& problem, std::size_t job) {
  CostRange range{problem.place(job, 0).cost, problem.place(job, 0).cost};
  for (std::size_t i = 1; i < problem.places(job); ++i) {
    range.least = std::min(range.least, problem.place(job, i).cost);
    range.most = std::max(range.most, problem.place(job, i).cost);
  }
  return range;
}

std::size_t cheapest_place(const LocalProblem& problem, std::size_t job, const LocalLoads& hard,
                           const LocalLoads& expected, std::size_t except) {
  constexpr double kRounding = 1e-9;
  std::size_t best = problem.places(job);
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < problem.places(job); ++i) {
    if (i == except) continue;
    const LocalPlace place = problem.place(job, i);
    const double added = expected.added(place);
    if (added < least - kRounding && hard.holds(place)) {
      least = added;
      best = i;
    }
  }
  return best;
}

double local_cost(const LocalProblem& problem, const LocalChoice& choice) {
  LocalLoads loads(problem);
  double cost = 0;
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    const LocalPlace place = problem.place(job, choice[job]);
    if (!loads.holds(place)) return std::numeric_limits<double>::infinity();
    cost += loads.added(place);
    loads.put(place);
  }
  return cost;
}

}  // namespace hyades
