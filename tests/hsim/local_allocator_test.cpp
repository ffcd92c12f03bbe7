// Phase 2 as numbers: the gradient is one, shares stay shares, and what comes out fits, always, and
// is never worse than every job at its first place.
#include "policy/local_allocator.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hsim/placement_instance.hpp"
#include "policy/local_repair.hpp"
#include "random_cases.hpp"

namespace hyades {
namespace {

double random_share(Prng& random) { return static_cast<double>(random.between(1, 1000)) / 1000; }

// Inside all simplices.
LocalShares random_shares(const LocalProblem& problem, Prng& random) {
  LocalShares x;
  for (std::size_t job = 0; job < problem.jobs(); ++job) {
    double sum = 0;
    for (std::size_t i = 0; i < problem.places(job); ++i) {
      x.push_back(random_share(random));
      sum += x.back();
    }
    for (std::size_t i = 0; i < problem.places(job); ++i) x[problem.first_place(job) + i] /= sum;
  }
  return x;
}

// The same places, on rows that hold anything.
LocalProblem without_capacities(const LocalProblem& from) {
  LocalProblem out;
  for (LocalRow row : from.rows()) {
    row.capacity = std::numeric_limits<double>::infinity();
    out.add_row(row);
  }
  for (std::size_t job = 0; job < from.jobs(); ++job) {
    out.add_job();
    for (std::size_t i = 0; i < from.places(job); ++i) {
      out.add_place(from.place(job, i).cost, from.place(job, i).uses);
    }
  }
  return out;
}

// Two nodes, each with room for so many jobs, and jobs that may be on either.
LocalProblem two_nodes(double room, const std::vector<std::pair<double, double>>& costs,
                       double bandwidth = 0) {
  LocalProblem problem;
  for (int node = 0; node < 2; ++node) {
    problem.add_row({.capacity = room});
    problem.add_row({.knee = 1, .weight = 100});
  }
  for (const auto& [here, there] : costs) {
    problem.add_job();
    for (std::uint32_t node = 0; node < 2; ++node) {
      std::vector<LocalUse> uses = {{2 * node, 1}};
      if (bandwidth > 0) uses.push_back({2 * node + 1, bandwidth});
      problem.add_place(node == 0 ? here : there, uses);
    }
  }
  return problem;
}

TEST(LocalDescent, TheGradientIsThatOfTheCost) {
  std::size_t above_a_knee = 0, above_a_capacity = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const LocalProblem problem = random_instance(seed);
    Prng random(seed);
    LocalShares x = random_shares(problem, random);
    const double penalty = random.chance(300) ? 0 : static_cast<double>(random.below(1000));
    LocalSmoothCost cost(problem, penalty), other(problem, penalty);
    cost.value(x);
    LocalShares gradient;
    cost.gradient(gradient);
    ASSERT_EQ(gradient.size(), problem.all_places());
    std::vector<double> loads;
    for (const LocalRow& row : problem.rows()) loads.push_back(row.load);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (const LocalUse& use : problem.place(i).uses) loads[use.row] += x[i] * use.amount;
    }
    for (std::size_t r = 0; r < loads.size(); ++r) {
      const LocalRow& row = problem.rows()[r];
      above_a_knee += row.weight > 0 && loads[r] > row.knee;
      above_a_capacity += penalty > 0 && loads[r] > row.capacity;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      constexpr double step = 1e-5;
      const double here = x[i];
      x[i] = here + step;
      const double more = other.value(x);
      x[i] = here - step;
      const double difference = (more - other.value(x)) / (2 * step);
      x[i] = here;
      EXPECT_NEAR(gradient[i], difference, 1e-5 * std::max(1.0, std::abs(difference)))
          << "seed " << seed << ", place " << i;
    }
  }
  // Else it was only a linear cost's.
  EXPECT_GT(above_a_knee, 30u);
  EXPECT_GT(above_a_capacity, 30u);
}

TEST(LocalDescent, AtWholeChoicesItIsTheCostOfThePlacement) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const LocalProblem problem = random_instance(seed);
    LocalShares x(problem.all_places());
    for (std::size_t job = 0; job < problem.jobs(); ++job) x[problem.first_place(job)] = 1;
    const double cost = local_cost(problem, LocalChoice(problem.jobs(), 0));
    EXPECT_NEAR(LocalSmoothCost(problem, 1e6).value(x), cost, 1e-9 * cost) << "seed " << seed;
  }
}

TEST(LocalDescent, SharesStayOnTheirSimplices) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const LocalProblem problem = random_instance(seed);
    for (const int stages : {1, 2, 4, 8}) {
      const Descent descent = descend(problem, {.stages = stages, .steps = 30});
      ASSERT_EQ(descent.x.size(), problem.all_places());
      for (std::size_t job = 0; job < problem.jobs(); ++job) {
        double sum = 0;
        for (std::size_t i = 0; i < problem.places(job); ++i) {
          const double share = descent.x[problem.first_place(job) + i];
          ASSERT_GE(share, 0) << "seed " << seed;
          sum += share;
        }
        ASSERT_NEAR(sum, 1, 1e-9) << "seed " << seed << ", job " << job;
      }
    }
  }
}

// Without capacities all stages go down the same cost.
TEST(LocalDescent, TheCostNeverRises) {
  std::size_t fell = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const LocalProblem problem = without_capacities(random_instance(seed));
    LocalSmoothCost cost(problem, 0);
    const double begin = cost.value(descend(problem, {.stages = 1, .steps = 0}).x);
    double before = begin;
    for (int steps = 1; steps <= 15; ++steps) {
      const double value = cost.value(descend(problem, {.stages = 1, .steps = steps}).x);
      ASSERT_LE(value, before) << "seed " << seed << ", step " << steps;
      before = value;
    }
    for (int stages = 2; stages <= 4; ++stages) {
      const double value = cost.value(descend(problem, {.stages = stages, .steps = 15}).x);
      ASSERT_LE(value, before) << "seed " << seed << ", stage " << stages;
      before = value;
    }
    fell += before < begin;
  }
  EXPECT_EQ(fell, 100u);
}

// A penalty that rises leaves ever less above what there is.
TEST(LocalDescent, LaterStagesKeepToCapacities) {
  double first = 0, last = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const LocalProblem problem = random_instance(seed);
    const auto excess = [&](int stages) {
      const LocalShares x = descend(problem, {.stages = stages, .steps = 50}).x;
      // Of two penalties, the difference is what lies above capacities, squared.
      return 2 * (LocalSmoothCost(problem, 1).value(x) - LocalSmoothCost(problem, 0).value(x));
    };
    first += excess(1);
    last += excess(6);
  }
  EXPECT_GT(first, 0);
  EXPECT_LT(last, first / 4);
}

TEST(LocalAllocator, JobsThatHinderEachOtherGoApart) {
  const LocalProblem problem = two_nodes(2, {{10, 10}, {10, 10}}, 0.9);
  const Allocation found = allocate(problem);
  EXPECT_NE(found.choice[0], found.choice[1]);
  EXPECT_DOUBLE_EQ(found.cost, 20);
  EXPECT_DOUBLE_EQ(found.first, 20 + 100 / 2 * 0.8 * 0.8);
}

// Neither can move first.
TEST(LocalAllocator, TwoJobsChangePlaces) {
  const LocalProblem problem = two_nodes(1, {{10, 20}, {25, 10}});
  LocalChoice choice = {1, 0};
  repair(problem, choice, 1000);
  EXPECT_EQ(choice, (LocalChoice{0, 1}));
  for (const std::size_t few : {0, 1}) {
    choice = {1, 0};
    repair(problem, choice, few);
    EXPECT_EQ(choice, (LocalChoice{1, 0})) << "it may not look at so much";
  }
}

TEST(LocalAllocator, AJobGoesElsewhereForOneToWhichItIsWorthMore) {
  LocalProblem problem = two_nodes(1, {{10, 11}});
  problem.add_job();  // one that is nowhere good but where the other one is
  problem.add_place(1000, {});
  problem.add_place(10, std::vector<LocalUse>{{0, 1}});
  EXPECT_EQ(allocate(problem).choice, (LocalChoice{1, 1}));
}

TEST(LocalAllocator, NothingToChoose) {
  const LocalProblem none;
  EXPECT_TRUE(allocate(none).choice.empty());
  EXPECT_EQ(allocate(none).cost, 0);
  LocalProblem no_rows;
  for (const double cost : {3.0, 2.0, 1.0}) {
    no_rows.add_job();
    no_rows.add_place(5, {});
    no_rows.add_place(cost, {});
  }
  EXPECT_EQ(allocate(no_rows).choice, (LocalChoice{1, 1, 1}));
  EXPECT_DOUBLE_EQ(allocate(no_rows).cost, 6);
  LocalProblem one_place;
  const std::uint32_t row = one_place.add_row({.capacity = 1});
  one_place.add_job();
  one_place.add_place(7, std::vector<LocalUse>{{row, 1}});
  EXPECT_EQ(allocate(one_place).choice, LocalChoice{0});
  EXPECT_DOUBLE_EQ(allocate(one_place).cost, 7);
  EXPECT_EQ(allocate(one_place).steps, 0);
}

TEST(LocalAllocator, PlacesThatAreAllTheSameStayWhereTheyAre) {
  for (const double cost : {0.0, 1.0, 1e9}) {
    const LocalProblem problem = two_nodes(2, {{cost, cost}, {cost, cost}});
    const Allocation found = allocate(problem);
    EXPECT_EQ(found.choice, (LocalChoice{0, 0}));
    EXPECT_DOUBLE_EQ(found.cost, 2 * cost);
  }
}

TEST(LocalAllocator, WhatDoesNotFitStaysAtItsFirstPlaces) {
  const LocalProblem problem = two_nodes(1, {{10, 1}, {10, 1}, {10, 1}});
  const Allocation found = allocate(problem);
  EXPECT_EQ(found.choice, (LocalChoice{0, 0, 0}));
  EXPECT_TRUE(std::isinf(found.cost));
  EXPECT_TRUE(std::isinf(found.first));
}

// In all its variants, whatever the sizes, with groups that are small and looks that are few.
TEST(LocalAllocator, FitsAndIsNeverWorseThanFirstPlaces) {
  const CaseRange cases = random_cases(2000);
  std::size_t better = 0, tried = 0;
  for (std::uint64_t seed = cases.first; seed < cases.first + cases.count; ++seed) {
    Prng random(seed);
    const InstanceShape shape{.jobs_most = static_cast<int>(random.between(2, 24)),
                              .places_most = static_cast<int>(random.between(2, 12)),
                              .nodes_most = static_cast<int>(random.between(2, 10)),
                              .linear = random.chance(200)};
    const LocalProblem problem = random_instance(seed, shape);
    AllocatorSettings settings;
    settings.gradient = random.chance(700);
    settings.repair = random.chance(700);
    settings.group = static_cast<std::size_t>(random.skewed(1, 64));
    settings.looks = random.chance(300) ? random.below(50) : settings.looks;
    const Allocation found = allocate(problem, settings);
    const double first = local_cost(problem, LocalChoice(problem.jobs(), 0));
    ASSERT_TRUE(std::isfinite(first)) << "seed " << seed;
    ASSERT_EQ(found.choice.size(), problem.jobs());
    for (std::size_t job = 0; job < problem.jobs(); ++job) {
      ASSERT_LT(found.choice[job], problem.places(job)) << "seed " << seed;
    }
    ASSERT_TRUE(std::isfinite(found.cost)) << "seed " << seed << ": more than there is";
    ASSERT_LE(found.cost, first * (1 + 1e-9)) << "seed " << seed;
    EXPECT_DOUBLE_EQ(found.cost, local_cost(problem, found.choice));
    EXPECT_DOUBLE_EQ(found.first, first);
    better += found.cost < first * (1 - 1e-9);
    ++tried;
  }
  if (tried > 100) {
    EXPECT_GT(better, tried * 7 / 10);
  }
}

TEST(LocalAllocator, TheSameProblemHasTheSameAnswer) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const InstanceShape shape{.jobs_most = 20, .places_most = 10, .nodes_most = 8};
    const LocalProblem problem = random_instance(seed, shape), again = random_instance(seed, shape);
    AllocatorSettings settings;
    if (seed % 2 == 0) settings.group = 5;
    const Allocation a = allocate(problem, settings), b = allocate(again, settings);
    EXPECT_EQ(a.choice, b.choice) << "seed " << seed;
    EXPECT_EQ(a.cost, b.cost);
    EXPECT_EQ(a.steps, b.steps);
  }
}

// Those of other groups are where they are, and in the way: a group of one cannot change places.
TEST(LocalAllocator, AGroupSeesTheOthers) {
  const LocalProblem problem = two_nodes(1, {{20, 10}, {25, 30}});
  LocalProblem swapped;  // the second job's first place is the second node
  for (const LocalRow& row : problem.rows()) swapped.add_row(row);
  for (std::size_t job = 0; job < 2; ++job) {
    swapped.add_job();
    for (std::size_t i = 0; i < 2; ++i) {
      const LocalPlace place = problem.place(job, job == 0 ? i : 1 - i);
      swapped.add_place(place.cost, place.uses);
    }
  }
  AllocatorSettings settings;
  EXPECT_EQ(allocate(swapped, settings).choice, (LocalChoice{1, 1}));
  settings.group = 1;
  EXPECT_EQ(allocate(swapped, settings).choice, (LocalChoice{0, 0}));
}

}  // namespace
}  // namespace hyades
