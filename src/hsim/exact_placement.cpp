#include "hsim/exact_placement.hpp"

#include <algorithm>
#include <numeric>

namespace hyades {
namespace {

class Search {
 public:
  Search(const LocalProblem& problem, std::size_t looks)
      : problem_(problem), loads_(problem), looks_(looks), choice_(problem.jobs()) {
    order_.resize(problem.jobs());
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return problem.places(a) < problem.places(b);
    });
  }

  ExactPlacement run() {
    branch(0, 0);
    return best_;
  }

 private:
  struct Branch {
    std::size_t place = 0;
    double added = 0;
  };

  // Places of the job that fit beside those that are put, cheapest first.
  std::vector<Branch> branches(std::size_t job) const {
    std::vector<Branch> out;
    for (std::size_t i = 0; i < problem_.places(job); ++i) {
      const LocalPlace place = problem_.place(job, i);
      if (loads_.holds(place)) out.push_back({i, loads_.added(place)});
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const Branch& a, const Branch& b) { return a.added < b.added; });
    return out;
  }

  // The least that the jobs from `depth` on add, in `order_`; infinity: one of them has no room.
  double least_added(std::size_t depth) const {
    double sum = 0;
    for (; depth < order_.size(); ++depth) {
      const std::size_t job = order_[depth];
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < problem_.places(job); ++i) {
        const LocalPlace place = problem_.place(job, i);
        if (loads_.holds(place)) least = std::min(least, loads_.added(place));
      }
      sum += least;
    }
    return sum;
  }

  void branch(std::size_t depth, double cost) {
    if (looks_ == 0) {
      best_.complete = false;
      return;
    }
    --looks_;
    if (depth == order_.size()) {
      if (cost < best_.cost) best_ = {choice_, cost, best_.complete};
      return;
    }
    if (!(cost + least_added(depth) < best_.cost)) return;
    const std::size_t job = order_[depth];
    for (const Branch& each : branches(job)) {
      if (!(cost + each.added < best_.cost)) break;
      const LocalPlace place = problem_.place(job, each.place);
      choice_[job] = static_cast<std::uint32_t>(each.place);
      loads_.put(place);
      branch(depth + 1, cost + each.added);
      loads_.take(place);
    }
  }

  const LocalProblem& problem_;
  LocalLoads loads_;
  std::size_t looks_;
  std::vector<std::size_t> order_;
  LocalChoice choice_;
  ExactPlacement best_;
};

}  // namespace

ExactPlacement exact_placement(const LocalProblem& problem, std::size_t looks) {
  return Search(problem, looks).run();
}

}  // namespace hyades
