#include "hsim/placement_instance.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

constexpr int kTries = 50;
constexpr std::uint32_t kRowsOfNode = 3;  // cores, bandwidth, balance

double share(Prng& random, int low, int high) {  // in thousandths
  return static_cast<double>(random.between(low, high)) / 1000;
}

struct DrawnJob {
  double run_s = 0;
  double cores = 0;
  double bandwidth = 0;  // of a node's, on one node
  std::vector<double> slowness;
  std::vector<std::vector<std::uint32_t>> places;  // nodes
};

class Drawing {
 public:
  Drawing(std::uint64_t seed, const InstanceShape& shape) : random_(seed), shape_(shape) {}

  LocalProblem problem() {
    nodes_ = static_cast<std::uint32_t>(random_.between(2, shape_.nodes_most));
    jobs_.resize(static_cast<std::size_t>(random_.between(2, shape_.jobs_most)));
    for (DrawnJob& job : jobs_) draw(job);
    LocalProblem problem;
    add_rows(problem);
    for (const DrawnJob& job : jobs_) {
      problem.add_job();
      for (const auto& nodes : job.places) {
        problem.add_place(cost_of(job, nodes), uses_of(job, nodes));
      }
    }
    return problem;
  }

 private:
  void draw(DrawnJob& job) {
    job.run_s = static_cast<double>(random_.skewed(60, 7200));
    job.cores = static_cast<double>(random_.between(2, 16));
    job.bandwidth = random_.chance(600) ? share(random_, 50, 900) : 0;
    for (std::uint32_t node = 0; node < nodes_; ++node) {
      job.slowness.push_back(1 + share(random_, 0, 2000));
    }
    const auto wanted = static_cast<std::size_t>(random_.between(2, shape_.places_most));
    for (int i = 0; i < kTries && job.places.size() < wanted; ++i) {
      std::vector<std::uint32_t> nodes = {static_cast<std::uint32_t>(random_.below(nodes_))};
      if (random_.chance(400)) {
        const auto other = static_cast<std::uint32_t>(random_.below(nodes_));
        if (other != nodes.front()) nodes.push_back(other);
      }
      std::sort(nodes.begin(), nodes.end());
      const auto same = std::find(job.places.begin(), job.places.end(), nodes);
      if (same == job.places.end()) job.places.push_back(std::move(nodes));
    }
  }

  void add_rows(LocalProblem& problem) {
    double mean_s = 0;
    for (const DrawnJob& job : jobs_) mean_s += job.run_s / static_cast<double>(jobs_.size());
    const bool balanced = !shape_.linear && random_.chance(500);
    for (std::uint32_t node = 0; node < nodes_; ++node) {
      double cores = 0;
      for (const DrawnJob& job : jobs_) {
        for (const LocalUse& use : uses_of(job, job.places.front())) {
          if (use.row == node * kRowsOfNode) cores += use.amount;
        }
      }
      if (random_.chance(600)) cores += static_cast<double>(random_.between(1, 24));
      problem.add_row({.capacity = cores});
      problem.add_row({.load = share(random_, 0, 600),
                       .knee = 1,
                       .weight = shape_.linear ? 0 : mean_s * share(random_, 500, 4000)});
      problem.add_row({.load = share(random_, 0, 500),
                       .weight = balanced ? mean_s * share(random_, 50, 1000) : 0});
    }
  }

  double cost_of(const DrawnJob& job, const std::vector<std::uint32_t>& nodes) const {
    double slowest = 0;
    for (const std::uint32_t node : nodes) slowest = std::max(slowest, job.slowness[node]);
    return job.run_s * slowest;
  }

  std::vector<LocalUse> uses_of(const DrawnJob& job,
                                const std::vector<std::uint32_t>& nodes) const {
    const double part = 1 / static_cast<double>(nodes.size());
    std::vector<LocalUse> uses;
    for (const std::uint32_t node : nodes) {
      uses.push_back({node * kRowsOfNode, job.cores * part});
      if (job.bandwidth > 0) uses.push_back({node * kRowsOfNode + 1, job.bandwidth * part});
      uses.push_back({node * kRowsOfNode + 2, job.cores * part / 32});
    }
    return uses;
  }

  Prng random_;
  const InstanceShape& shape_;
  std::uint32_t nodes_ = 0;
  std::vector<DrawnJob> jobs_;
};

}  // namespace

LocalProblem random_instance(std::uint64_t seed, const InstanceShape& shape) {
  return Drawing(seed, shape).problem();
}

LocalChoice random_choice(const LocalProblem& problem, Prng& random) {
  LocalChoice choice(problem.jobs());
  for (int i = 0; i < kTries; ++i) {
    for (std::size_t job = 0; job < problem.jobs(); ++job) {
      choice[job] = static_cast<std::uint32_t>(random.below(problem.places(job)));
    }
    if (std::isfinite(local_cost(problem, choice))) return choice;
  }
  choice.assign(problem.jobs(), 0);
  return choice;
}

}  // namespace hyades
