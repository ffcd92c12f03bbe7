// Phase 2 as numbers: jobs, the places that each may take, and what they use of what is scarce.
//
//   F(x) = sum_j sum_p x[j][p] c[j][p]  +  sum_r w[r]/2 (max(0, L[r](x) - k[r])^2 - the same at
//   rest) L[r](x) = load[r] + sum_j sum_p x[j][p] a[j][p][r]
//
// x[j] is on the simplex: how much of job j is at its place p. With all of it at one place, F is
// what that placement costs; in between it is smooth and convex, so that gradients lead somewhere.
// A row r is one thing that places use: cores or memory of a node (capacity: never more than that),
// the bandwidth of its memory (w above a knee), how full it is (w from 0 on). Costs are seconds.
//
// No I/O, no nodes, no clocks: placement_problem.hpp makes these of jobs and nodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace hyades {

struct LocalRow {
  double capacity = std::numeric_limits<double>::infinity();
  double load = 0;  // that is there whatever is chosen
  double knee = 0;
  double weight = 0;
};

// An amount, above 0, of one row. A place names each row once.
struct LocalUse {
  std::uint32_t row = 0;
  double amount = 0;
};

// One place of a job.
struct LocalPlace {
  double cost = 0;  // whatever the others do
  std::span<const LocalUse> uses;
};

// The place of each job.
using LocalChoice = std::vector<std::uint32_t>;

class LocalProblem {
 public:
  std::uint32_t add_row(const LocalRow& row);
  // The job that places are added to from now on. Each needs one place; its first is where it is
  // without phase 2.
  void add_job() { first_.push_back(first_.back()); }
  void add_place(double cost, std::span<const LocalUse> uses);

  std::size_t jobs() const { return first_.size() - 1; }
  std::size_t places(std::size_t job) const { return first_[job + 1] - first_[job]; }
  std::size_t all_places() const { return cost_.size(); }
  // Of all places of all jobs, where those of the job begin.
  std::size_t first_place(std::size_t job) const { return first_[job]; }
  // Without a check of bounds: the descent asks for all of them, again and again.
  LocalPlace place(std::size_t index) const {
    const std::size_t first = first_use_.data()[index], end = first_use_.data()[index + 1];
    return {cost_.data()[index], {uses_.data() + first, end - first}};
  }
  LocalPlace place(std::size_t job, std::size_t its) const { return place(first_[job] + its); }

  const std::vector<LocalRow>& rows() const { return rows_; }
  // What others use from now on is there whatever is chosen.
  void set_load(std::uint32_t row, double load) { rows_[row].load = load; }

 private:
  std::vector<LocalRow> rows_;
  std::vector<std::size_t> first_ = {0};
  std::vector<double> cost_;
  std::vector<std::size_t> first_use_ = {0};
  std::vector<LocalUse> uses_;
};

// What the row's load costs by itself.
inline double row_cost(const LocalRow& row, double load) {
  const double over = load - row.knee;
  return over > 0 ? row.weight / 2 * over * over : 0;
}

// How full the rows are while jobs come and go: each must be at one place at most.
class LocalLoads {
 public:
  explicit LocalLoads(const LocalProblem& problem);

  void put(const LocalPlace& place) { change(place, 1); }
  void take(const LocalPlace& place) { change(place, -1); }
  double load(std::uint32_t row) const { return loads_[row]; }

  bool holds(const LocalPlace& place) const;
  // What putting a job there would add to F.
  double added(const LocalPlace& place) const;

 private:
  void change(const LocalPlace& place, double sign);

  const LocalProblem& problem_;
  std::vector<double> loads_;
};

// Amounts are sums of doubles: so much above a capacity is none.
inline constexpr double kLocalTolerance = 1e-6;

// Of the costs of a job's places, whatever the others do.
struct CostRange {
  double least = 0;
  double most = 0;
  double width() const { return most - least; }
};
CostRange cost_range(const LocalProblem& problem, std::size_t job);

// The place of the job that adds least to `expected` among those that `hard` has room for, but for
// `except`; places(job): there is none.
inline constexpr std::size_t kNoPlace = static_cast<std::size_t>(-1);
std::size_t cheapest_place(const LocalProblem& problem, std::size_t job, const LocalLoads& hard,
                           const LocalLoads& expected, std::size_t except = kNoPlace);

// F at one place each; infinity where some capacity does not hold it.
double local_cost(const LocalProblem& problem, const LocalChoice& choice);

}  // namespace hyades
