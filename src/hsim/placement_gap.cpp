#include "hsim/placement_gap.hpp"

#include <cmath>

#include "core/assert.hpp"
#include "hsim/exact_placement.hpp"
#include "hsim/placement_instance.hpp"
#include "policy/local_allocator.hpp"
#include "policy/local_repair.hpp"

namespace hyades {
namespace {

constexpr double kRounding = 1e-9;

struct Method {
  const char* name;
  LocalChoice (*choose)(const LocalProblem&, Prng&);
};

LocalChoice allocated(const LocalProblem& problem, bool gradient, bool repair) {
  AllocatorSettings settings;
  settings.gradient = gradient;
  settings.repair = repair;
  return allocate(problem, settings).choice;
}

LocalChoice first_places(const LocalProblem& problem) { return LocalChoice(problem.jobs(), 0); }

LocalChoice in_turn(const LocalProblem& problem) {
  LocalChoice choice;
  return choose_in_turn(problem, choice) ? choice : first_places(problem);
}

constexpr Method kMethods[] = {
    {"two-phase", [](const LocalProblem& p, Prng&) { return allocated(p, true, true); }},
    {"without gradient", [](const LocalProblem& p, Prng&) { return allocated(p, false, true); }},
    {"without repair", [](const LocalProblem& p, Prng&) { return allocated(p, true, false); }},
    {"cheapest in turn", [](const LocalProblem& p, Prng&) { return in_turn(p); }},
    {"random", [](const LocalProblem& p, Prng& random) { return random_choice(p, random); }},
    {"first places", [](const LocalProblem& p, Prng&) { return first_places(p); }},
};

void add(GapFigures& figures, double gap, std::uint64_t seed) {
  figures.near += gap <= kNearGap;
  figures.exact += gap <= kRounding;
  figures.sum += gap;
  if (gap > figures.worst) {
    figures.worst = gap;
    figures.worst_seed = seed;
  }
}

}  // namespace

PlacementGaps placement_gaps(std::size_t problems, std::uint64_t seed,
                             const std::function<void(std::size_t)>& done) {
  PlacementGaps gaps;
  gaps.problems = problems;
  gaps.first_seed = seed;
  for (const Method& method : kMethods) gaps.methods.push_back({.method = method.name});
  for (std::size_t i = 0; i < problems; ++i) {
    const std::uint64_t its_seed = seed + i;
    const LocalProblem problem = random_instance(its_seed);
    const ExactPlacement exact = exact_placement(problem);
    HYADES_ASSERT(exact.complete && exact.cost > 0 && std::isfinite(exact.cost));
    Prng random(~its_seed);
    for (std::size_t m = 0; m < gaps.methods.size(); ++m) {
      const double cost = local_cost(problem, kMethods[m].choose(problem, random));
      HYADES_ASSERT(cost >= exact.cost * (1 - kRounding));
      add(gaps.methods[m], (cost - exact.cost) / exact.cost, its_seed);
    }
    if (done) done(i + 1);
  }
  return gaps;
}

}  // namespace hyades
