#include "policy/local_repair.hpp"

#include <algorithm>
#include <numeric>

namespace hyades {
namespace {

constexpr double kGain = 1e-9;  // smaller ones are rounding
constexpr double kNegligible = 1e-6;
constexpr int kTriesMost = 10;

std::vector<std::size_t> by_size(std::vector<double> sizes) {
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  return order;
}

// Moves jobs about; each try is taken back unless F gets smaller.
class Mover {
 public:
  Mover(const LocalProblem& problem, LocalChoice& choice, std::size_t looks)
      : problem_(problem),
        choice_(choice),
        loads_(problem),
        looks_(looks),
        users_(problem.rows().size()) {
    for (std::size_t job = 0; job < problem_.jobs(); ++job) put(job, choice_[job]);
  }

  void run() {
    bool moved = true;
    while (moved && looks_ > 0) {
      moved = false;
      for (std::size_t job = 0; job < problem_.jobs(); ++job) moved |= move(job);
      if (moved) continue;
      for (std::size_t job = 0; job < problem_.jobs() && looks_ > 0; ++job) {
        moved |= move_with_another(job);
      }
    }
  }

 private:
  LocalPlace place_of(std::size_t job) const { return problem_.place(job, choice_[job]); }

  void put(std::size_t job, std::size_t its) {
    choice_[job] = static_cast<std::uint32_t>(its);
    const LocalPlace place = place_of(job);
    loads_.put(place);
    for (const LocalUse& use : place.uses) users_[use.row].push_back(job);
  }
  void take(std::size_t job) {
    const LocalPlace place = place_of(job);
    loads_.take(place);
    for (const LocalUse& use : place.uses) std::erase(users_[use.row], job);
  }
  bool look() { return looks_ > 0 && looks_-- > 0; }

  // Its best place while the others stay.
  bool move(std::size_t job) {
    if (problem_.places(job) < 2) return false;
    const std::size_t here = choice_[job];
    take(job);
    std::size_t best = here;
    double least = loads_.added(place_of(job)) - kGain;
    for (std::size_t i = 0; i < problem_.places(job) && look(); ++i) {
      const LocalPlace place = problem_.place(job, i);
      if (const double added = loads_.added(place); added < least && loads_.holds(place)) {
        least = added - kGain;
        best = i;
      }
    }
    put(job, best);
    return best != here;
  }

  // A place that is worth more to it, while one of those that are in its way, or share a row with
  // it, goes elsewhere.
  bool move_with_another(std::size_t job) {
    const std::size_t here = choice_[job];
    take(job);
    const double stays = loads_.added(problem_.place(job, here));
    for (std::size_t i = 0; i < problem_.places(job); ++i) {
      if (!look()) break;
      const LocalPlace place = problem_.place(job, i);
      if (!(place.cost < stays - kGain)) continue;
      for (const std::size_t other : in_the_way(place)) {
        if (make_way(job, i, other, stays)) return true;
      }
    }
    put(job, here);
    return false;
  }

  std::vector<std::size_t> in_the_way(const LocalPlace& place) const {
    std::vector<std::size_t> jobs;
    for (const LocalUse& use : place.uses) {
      for (const std::size_t user : users_[use.row]) {
        if (std::find(jobs.begin(), jobs.end(), user) == jobs.end()) jobs.push_back(user);
      }
    }
    return jobs;
  }

  // `job` is nowhere now. True: it is at that place, the other one elsewhere, and F is smaller.
  bool make_way(std::size_t job, std::size_t its, std::size_t other, double stays) {
    const std::size_t before = choice_[other];
    take(other);
    const double others_cost = loads_.added(problem_.place(other, before));
    const LocalPlace place = problem_.place(job, its);
    if (loads_.holds(place)) {
      // With the job put, the other one's place decides.
      const double gain = stays + others_cost - loads_.added(place);
      put(job, its);
      std::size_t best = problem_.places(other);
      double least = gain - kGain;
      for (std::size_t i = 0; i < problem_.places(other) && look(); ++i) {
        const LocalPlace its_place = problem_.place(other, i);
        const double added = loads_.added(its_place);
        if (added < least && loads_.holds(its_place)) {
          least = added;
          best = i;
        }
      }
      if (best < problem_.places(other)) {
        put(other, best);
        return true;
      }
      take(job);
    }
    put(other, before);
    return false;
  }

  const LocalProblem& problem_;
  LocalChoice& choice_;
  LocalLoads loads_;
  std::size_t looks_;
  std::vector<std::vector<std::size_t>> users_;  // of each row
};

// Jobs in this order; whoever finds no room goes first the next time. `attempt` says which of them
// that was: order.size() if all have a place.
template <typename Try>
bool until_it_fits(std::vector<std::size_t> order, const Try& attempt) {
  for (int tries = 0; tries < kTriesMost; ++tries) {
    const std::size_t failed = attempt(order);
    if (failed == order.size()) return true;
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(failed),
                order.begin() + static_cast<std::ptrdiff_t>(failed) + 1);
  }
  return false;
}

}  // namespace

bool round_shares(const LocalProblem& problem, const LocalShares& x, LocalChoice& choice) {
  const auto shift = [&](LocalLoads& expected, std::size_t job, bool out) {
    for (std::size_t i = problem.first_place(job); i < problem.first_place(job + 1); ++i) {
      if (x[i] < kNegligible) continue;
      std::vector<LocalUse> part(problem.place(i).uses.begin(), problem.place(i).uses.end());
      for (LocalUse& use : part) use.amount *= x[i];
      out ? expected.take({0, part}) : expected.put({0, part});
    }
  };
  std::vector<double> most(problem.jobs());
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(problem.first_place(job));
    most[job] = *std::max_element(first, first + static_cast<std::ptrdiff_t>(problem.places(job)));
  }
  return until_it_fits(by_size(most), [&](const std::vector<std::size_t>& order) {
    LocalLoads hard(problem), expected(problem);
    for (std::size_t job = 0; job < problem.jobs(); ++job) shift(expected, job, false);
    choice.assign(problem.jobs(), 0);
    for (std::size_t n = 0; n < order.size(); ++n) {
      const std::size_t job = order[n];
      shift(expected, job, true);
      const std::size_t best = cheapest_place(problem, job, hard, expected);
      if (best == problem.places(job)) return n;
      choice[job] = static_cast<std::uint32_t>(best);
      hard.put(problem.place(job, best));
      expected.put(problem.place(job, best));
    }
    return order.size();
  });
}

bool choose_in_turn(const LocalProblem& problem, LocalChoice& choice) {
  std::vector<double> ranges(problem.jobs());
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    ranges[job] = cost_range(problem, job).width();
  }
  return until_it_fits(by_size(ranges), [&](const std::vector<std::size_t>& order) {
    LocalLoads loads(problem);
    choice.assign(problem.jobs(), 0);
    for (std::size_t n = 0; n < order.size(); ++n) {
      const std::size_t job = order[n];
      const std::size_t best = cheapest_place(problem, job, loads, loads);
      if (best == problem.places(job)) return n;
      choice[job] = static_cast<std::uint32_t>(best);
      loads.put(problem.place(job, best));
    }
    return order.size();
  });
}

void repair(const LocalProblem& problem, LocalChoice& choice, std::size_t looks) {
  Mover(problem, choice, looks).run();
}

}  // namespace hyades
