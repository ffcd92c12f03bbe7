#include "policy/local_descent.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

constexpr double kStepFirst = 2;  // in ranges of the job's own gradient
constexpr double kStepLeast = 1e-3;
constexpr double kNegligible = 1e-12;
constexpr double kGone = 1e-7;  // a share that is less is none from then on
constexpr double kGain = 1e-9;  // less than this part of the cost is none

// How much a second place costs more than the best one, over all jobs: the scale of what a unit
// above a capacity must cost.
double scale_of(const LocalProblem& problem) {
  double sum = 0;
  for (std::size_t job = 0; job < problem.jobs(); ++job) sum += cost_range(problem, job).width();
  return std::max(sum / static_cast<double>(std::max<std::size_t>(problem.jobs(), 1)), 1e-3);
}

LocalShares cheapest_first(const LocalProblem& problem) {
  LocalShares x(problem.all_places());
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    const std::size_t first = problem.first_place(job), count = problem.places(job);
    const CostRange range = cost_range(problem, job);
    const double rate = 2 / std::max(range.width(), kNegligible);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      sum += x[first + i] = std::exp(-rate * (problem.place(first + i).cost - range.least));
    }
    for (std::size_t i = 0; i < count; ++i) x[first + i] /= sum;
  }
  return x;
}

// x' of each job in proportion to x exp(-step g / range of g), the ranges being its own.
void step_from(const LocalProblem& problem, const LocalShares& x, const LocalShares& gradient,
               double step, LocalShares& out) {
  out.resize(x.size());
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    const std::size_t first = problem.first_place(job), end = first + problem.places(job);
    double least = gradient[first], most = least;
    for (std::size_t i = first; i < end; ++i) {
      least = std::min(least, gradient[i]);
      if (x[i] > 0) most = std::max(most, gradient[i]);
    }
    const double rate = step / std::max(most - least, kNegligible);
    double sum = 0;
    for (std::size_t i = first; i < end; ++i) {
      out[i] = x[i] > kGone ? x[i] * std::exp(-rate * (gradient[i] - least)) : 0;
      sum += out[i];
    }
    for (std::size_t i = first; i < end; ++i) out[i] /= sum;
  }
}

void descend_a_stage(const LocalProblem& problem, LocalSmoothCost cost, int steps, Descent& done) {
  LocalShares gradient(done.x.size()), next;
  double value = cost.value(done.x);
  double step = kStepFirst;
  cost.gradient(gradient);
  for (int i = 0; i < steps && step > kStepLeast; ++i) {
    step_from(problem, done.x, gradient, step, next);
    const double there = cost.value(next);
    if (!(there < value - kGain * std::abs(value))) {
      step /= 4;
      continue;
    }
    done.x.swap(next);
    value = there;
    cost.gradient(gradient);
    step *= 1.5;
    ++done.steps;
  }
}

}  // namespace

double LocalSmoothCost::value(const LocalShares& x) {
  loads_.clear();
  for (const LocalRow& row : problem_.rows()) loads_.push_back(row.load);
  double cost = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 0) continue;
    const LocalPlace place = problem_.place(i);
    cost += x[i] * place.cost;
    for (const LocalUse& use : place.uses) loads_[use.row] += x[i] * use.amount;
  }
  for (std::size_t r = 0; r < loads_.size(); ++r) {
    const LocalRow& row = problem_.rows()[r];
    if (row.weight > 0) cost += row_cost(row, loads_[r]) - row_cost(row, row.load);
    const double over = loads_[r] - row.capacity;
    if (over > 0) cost += penalty_ / 2 * over * over;
  }
  return cost;
}

void LocalSmoothCost::gradient(LocalShares& out) const {
  std::vector<double> slopes(loads_.size());
  for (std::size_t r = 0; r < loads_.size(); ++r) {
    const LocalRow& row = problem_.rows()[r];
    slopes[r] = row.weight * std::max(loads_[r] - row.knee, 0.0) +
                penalty_ * std::max(loads_[r] - row.capacity, 0.0);
  }
  out.resize(problem_.all_places());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const LocalPlace place = problem_.place(i);
    out[i] = place.cost;
    for (const LocalUse& use : place.uses) out[i] += slopes[use.row] * use.amount;
  }
}

Descent descend(const LocalProblem& problem, const DescentSettings& settings) {
  Descent done{cheapest_first(problem), 0};
  double penalty = scale_of(problem) / 100;
  for (int stage = 0; stage < settings.stages; ++stage, penalty *= 10) {
    descend_a_stage(problem, LocalSmoothCost(problem, penalty), settings.steps, done);
  }
  return done;
}

}  // namespace hyades
