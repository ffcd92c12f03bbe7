#include "policy/local_allocator.hpp"

#include <algorithm>
#include <cmath>

#include "policy/local_repair.hpp"

namespace hyades {
namespace {

constexpr std::size_t kPlacesOfAllStarts = 500;

// The jobs from `first` to `end` alone, with the rows that they use; `loads` are of all jobs but
// them, which is there anyway.
LocalProblem part_of(const LocalProblem& whole, const LocalLoads& loads, std::size_t first,
                     std::size_t end) {
  LocalProblem part;
  std::vector<std::int64_t> number(whole.rows().size(), -1);
  std::vector<LocalUse> uses;
  for (std::size_t job = first; job < end; ++job) {
    part.add_job();
    for (std::size_t i = 0; i < whole.places(job); ++i) {
      const LocalPlace place = whole.place(job, i);
      uses.assign(place.uses.begin(), place.uses.end());
      for (LocalUse& use : uses) {
        if (number[use.row] < 0) {
          LocalRow row = whole.rows()[use.row];
          row.load = loads.load(use.row);
          number[use.row] = part.add_row(row);
        }
        use.row = static_cast<std::uint32_t>(number[use.row]);
      }
      part.add_place(place.cost, uses);
    }
  }
  return part;
}

void keep_better(const LocalProblem& problem, LocalChoice&& other, LocalChoice& best,
                 double& cost) {
  const double there = local_cost(problem, other);
  if (!(there < cost)) return;
  cost = there;
  best = std::move(other);
}

// A choice for all jobs at once, not worse than `choice`: the best of what comes of it, of the
// gradient's shares, and of each job in turn. Where there are many places, of the best of them
// alone.
void settle(const LocalProblem& problem, const AllocatorSettings& settings, LocalChoice& choice,
            int& steps) {
  std::vector<LocalChoice> starts = {choice};
  LocalChoice other;
  if (settings.gradient) {
    const Descent descent = descend(problem, settings.descent);
    steps += descent.steps;
    if (round_shares(problem, descent.x, other)) starts.push_back(other);
  }
  if (choose_in_turn(problem, other)) starts.push_back(other);
  if (problem.all_places() > kPlacesOfAllStarts) {
    const auto best = std::min_element(starts.begin(), starts.end(),
                                       [&](const LocalChoice& a, const LocalChoice& b) {
                                         return local_cost(problem, a) < local_cost(problem, b);
                                       });
    starts = {LocalChoice(*best)};
  }
  double cost = local_cost(problem, choice);
  for (LocalChoice& start : starts) {
    if (settings.repair) repair(problem, start, settings.looks);
    keep_better(problem, std::move(start), choice, cost);
  }
}

}  // namespace

Allocation allocate(const LocalProblem& problem, const AllocatorSettings& settings) {
  Allocation out;
  out.choice.assign(problem.jobs(), 0);
  out.first = out.cost = local_cost(problem, out.choice);
  if (problem.jobs() == 0 || problem.all_places() == problem.jobs()) return out;
  if (!std::isfinite(out.first)) return out;  // they do not fit: nothing is known to be better
  if (problem.jobs() <= settings.group) {
    settle(problem, settings, out.choice, out.steps);
  } else {
    LocalLoads loads(problem);
    for (std::size_t job = 0; job < problem.jobs(); ++job) loads.put(problem.place(job, 0));
    for (std::size_t first = 0; first < problem.jobs(); first += settings.group) {
      const std::size_t end = std::min(first + settings.group, problem.jobs());
      for (std::size_t job = first; job < end; ++job) loads.take(problem.place(job, 0));
      const LocalProblem part = part_of(problem, loads, first, end);
      LocalChoice its(end - first, 0);
      settle(part, settings, its, out.steps);
      for (std::size_t job = first; job < end; ++job) {
        out.choice[job] = its[job - first];
        loads.put(problem.place(job, out.choice[job]));
      }
    }
  }
  out.cost = local_cost(problem, out.choice);
  return out;
}

}  // namespace hyades
