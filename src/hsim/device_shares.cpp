#include "hsim/device_shares.hpp"

#include <algorithm>

#include "cli/failure.hpp"
#include "hsim/device_lp.hpp"

namespace hyades {
namespace {

constexpr double kTie = 1e-3;  // what all work together counts beside the job that gets least

// Variables: the share of a job of class c on kind k; `more` others behind them.
class ShareProgram {
 public:
  ShareProgram(const ShareProblem& problem, std::size_t more)
      : problem_(problem), kinds_(problem.devices.size()), width_(classes() * kinds_ + more) {
    program_.objective.assign(width_, 0);
    for (std::size_t k = 0; k < kinds_; ++k) {
      std::vector<double>& row = add_row(problem.devices[k]);
      for (std::size_t c = 0; c < classes(); ++c) {
        row[at(c, k)] = problem.classes[c].jobs * problem.classes[c].workers;
      }
    }
    for (std::size_t c = 0; c < classes(); ++c) {
      std::vector<double>& row = add_row(1);
      for (std::size_t k = 0; k < kinds_; ++k) row[at(c, k)] = 1;
    }
  }

  std::size_t classes() const { return problem_.classes.size(); }
  std::size_t kinds() const { return kinds_; }
  std::size_t at(std::size_t of_class, std::size_t kind) const { return of_class * kinds_ + kind; }
  std::size_t width() const { return width_; }
  std::vector<double>& add_row(double bound) {
    program_.bounds.push_back(bound);
    return program_.rows.emplace_back(width_, 0.0);
  }
  double& gain(std::size_t variable) { return program_.objective[variable]; }

  Shares solve() const {
    const LinearOptimum found = maximise(program_);
    if (!found.bounded) throw Failure("shares of devices: a program without a bound");
    Shares shares;
    for (std::size_t c = 0; c < classes(); ++c) {
      const auto first = found.x.begin() + static_cast<std::ptrdiff_t>(at(c, 0));
      shares.of.emplace_back(first, first + static_cast<std::ptrdiff_t>(kinds_));
    }
    shares.prices.assign(found.prices.begin(),
                         found.prices.begin() + static_cast<std::ptrdiff_t>(kinds_));
    return shares;
  }

 private:
  const ShareProblem& problem_;
  std::size_t kinds_, width_;
  LinearProgram program_;
};

// Nothing may run where it does not fit: the gain of such a share is 0, but so is that of idling.
void no_misfits(const ShareProblem& problem, Shares& shares) {
  for (std::size_t c = 0; c < shares.of.size(); ++c) {
    for (std::size_t k = 0; k < shares.of[c].size(); ++k) {
      if (problem.classes[c].rates[k] <= 0) shares.of[c][k] = 0;
    }
  }
}

double best_rate(const ShareClass& each) {
  return *std::max_element(each.rates.begin(), each.rates.end());
}

void count_work(const ShareProblem& problem, double weight, ShareProgram& program) {
  for (std::size_t c = 0; c < program.classes(); ++c) {
    const ShareClass& its = problem.classes[c];
    for (std::size_t k = 0; k < program.kinds(); ++k) {
      program.gain(program.at(c, k)) =
          weight * its.jobs * its.workers * its.rates[k] / best_rate(its);
    }
  }
}

}  // namespace

double Shares::speed(const ShareProblem& problem, std::size_t of_class) const {
  double speed = 0;
  for (std::size_t k = 0; k < of[of_class].size(); ++k) {
    speed += of[of_class][k] * problem.classes[of_class].rates[k];
  }
  return speed;
}

Shares most_throughput(const ShareProblem& problem) {
  ShareProgram program(problem, 0);
  count_work(problem, 1, program);
  Shares shares = program.solve();
  no_misfits(problem, shares);
  return shares;
}

Shares least_makespan(const ShareProblem& problem) {
  // The part of each class's steps that is done in a time that would do for about all.
  double scale = 0;
  for (const ShareClass& each : problem.classes) {
    scale += each.workers * each.steps / best_rate(each);
  }
  const std::size_t kinds = problem.devices.size(), least = problem.classes.size() * kinds;
  LinearProgram program;
  program.objective.assign(least + 1, 0);
  program.objective[least] = 1;
  for (std::size_t k = 0; k < kinds; ++k) {
    std::vector<double>& row = program.rows.emplace_back(least + 1, 0.0);
    program.bounds.push_back(problem.devices[k]);
    for (std::size_t c = 0; c < problem.classes.size(); ++c) {
      const ShareClass& its = problem.classes[c];
      if (its.rates[k] > 0) row[c * kinds + k] = its.workers * its.steps / its.rates[k] / scale;
    }
  }
  for (std::size_t c = 0; c < problem.classes.size(); ++c) {
    std::vector<double>& row = program.rows.emplace_back(least + 1, 0.0);
    program.bounds.push_back(0);
    row[least] = 1;
    for (std::size_t k = 0; k < kinds; ++k) {
      if (problem.classes[c].rates[k] > 0) row[c * kinds + k] = -1;
    }
  }
  const LinearOptimum found = maximise(program);
  if (!found.bounded) throw Failure("shares of devices: a program without a bound");
  Shares shares;
  for (std::size_t c = 0; c < problem.classes.size(); ++c) {
    const auto first = found.x.begin() + static_cast<std::ptrdiff_t>(c * kinds);
    shares.of.emplace_back(first, first + static_cast<std::ptrdiff_t>(kinds));
  }
  shares.prices.assign(found.prices.begin(),
                       found.prices.begin() + static_cast<std::ptrdiff_t>(kinds));
  return shares;
}

Shares max_min_fair(const ShareProblem& problem) {
  ShareProgram program(problem, 1);
  const std::size_t least = program.width() - 1;
  double all = 0, jobs = 0;
  for (const double devices : problem.devices) all += devices;
  for (const ShareClass& each : problem.classes) jobs += each.jobs * each.workers;
  count_work(problem, kTie / std::max(jobs, 1.0), program);
  program.gain(least) = 1;
  for (std::size_t c = 0; c < program.classes(); ++c) {
    const ShareClass& its = problem.classes[c];
    double equal = 0;
    for (std::size_t k = 0; k < program.kinds(); ++k) {
      equal += its.rates[k] * problem.devices[k] / all;
    }
    std::vector<double>& row = program.add_row(0);
    row[least] = 1;
    // As Gavel has it, a job of many devices counts as many times.
    for (std::size_t k = 0; k < program.kinds(); ++k) {
      row[program.at(c, k)] = -its.workers * its.rates[k] / equal;
    }
  }
  Shares shares = program.solve();
  no_misfits(problem, shares);
  return shares;
}

}  // namespace hyades
