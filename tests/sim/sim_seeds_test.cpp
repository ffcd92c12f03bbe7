// The real controller, driver, policy and agent in simulated worlds full of faults, one world a
// seed. HYADES_SIM_SEEDS=N runs N seeds; HYADES_SIM_SEED=S runs one and prints what happens.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "seed_runner.hpp"

namespace hyades {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(SimSeeds, PromisesHoldUnderFaultsAndAllJobsEndAfterThem) {
  if (const std::uint64_t seed = from_environment("HYADES_SIM_SEED", 0); seed != 0) {
    Marks marks;
    const SeedResult result = run_seed(seed, marks, true);
    EXPECT_EQ(result.oracle, "") << describe(result);
    return;
  }
  const std::uint64_t count = from_environment("HYADES_SIM_SEEDS", 300);
  const SeedRuns runs = run_seeds(1, count);
  ASSERT_EQ(runs.results.size(), count);
  std::uint64_t processes = 0;
  for (const SeedResult& result : runs.results) {
    EXPECT_EQ(result.oracle, "") << describe(result);
    processes += result.processes;
  }
  std::cout << count << " seeds, on average " << runs.simulated_days() / static_cast<double>(count)
            << " simulated days, " << runs.jobs() / count << " jobs and " << processes / count
            << " processes a seed\n";
  for (std::size_t i = 0; i < Marks::count; ++i) {
    if (count < 200 && runs.marks[i] == 0) continue;
    EXPECT_GT(runs.marks[i], 0u) << "never met in any seed: " << Marks::name(i);
  }
}

TEST(SimSeeds, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Marks marks;
    const SeedResult once = run_seed(seed, marks);
    const SeedResult again = run_seed(seed, marks);
    EXPECT_EQ(once.hash, again.hash) << "seed " << seed;
    EXPECT_EQ(once.events, again.events) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hyades
