// Random small clusters with several resources: every pass of the production policy against the
// naive planner, place for place, promise for promise; and what must hold whatever the rule is.
#include <gtest/gtest.h>

#include "random_cases.hpp"
#include "scenario_run.hpp"

namespace hyades {
namespace {

std::string difference(const Scenario& scenario) { return ScenarioRun(scenario).run().difference; }

// The fewest jobs that still show a difference: the shortest prefix, without those of it that do
// not matter.
Scenario shrunk(const Scenario& scenario) {
  Scenario smallest = scenario;
  for (std::size_t count = 1; count <= scenario.jobs.size(); ++count) {
    smallest = scenario;
    smallest.jobs.resize(count);
    if (!difference(smallest).empty()) break;
  }
  for (std::size_t i = smallest.jobs.size(); i-- > 0;) {
    Scenario without = smallest;
    without.jobs.erase(without.jobs.begin() + static_cast<std::ptrdiff_t>(i));
    if (!difference(without).empty()) smallest = without;
  }
  return smallest;
}

std::string explain(std::uint64_t seed, const Scenario& scenario) {
  const Scenario smallest = shrunk(scenario);
  return "HYADES_DIFFERENTIAL_SEED=" + std::to_string(seed) +
         " shows it; the smallest part that does: " + difference(smallest) + "\n" +
         describe(smallest);
}

TEST(PlannerDifferential, EveryPassDecidesAsTheNaivePlannerDoes) {
  const CaseRange range = random_cases(11'000);
  int backfilled = 0, on_several_nodes = 0;
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    const Scenario scenario = random_scenario(seed);
    const ScenarioOutcome outcome = ScenarioRun(scenario).run();
    ASSERT_EQ(outcome.difference, "") << explain(seed, scenario);
    backfilled += outcome.backfilled;
    on_several_nodes += outcome.on_several_nodes;
  }
  if (range.count < 100) return;
  EXPECT_GT(backfilled, 100) << "cases in which nothing is backfilled show nothing";
  EXPECT_GT(on_several_nodes, 100);
}

// By submission nobody new comes before a reserved job, and nobody overruns a limit: its promise is
// never broken. On several queues one of higher priority may well come before.
TEST(PlannerDifferential, NobodyStartsLaterThanPromised) {
  const CaseRange range = random_cases(3000);
  std::size_t promises = 0;
  const ScenarioKind kind{
      .queues_max = 1, .overruns = false, .drains = false, .avoids = true, .conservative = false};
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    Scenario scenario = random_scenario(seed, kind);
    scenario.queues.front().order = QueueOrder::Fcfs;
    for (ScenarioJob& job : scenario.jobs) {
      job.spec.priority = 0;
      job.limited = false;
    }
    const ScenarioOutcome outcome = ScenarioRun(scenario).run();
    ASSERT_EQ(outcome.difference, "") << explain(seed, scenario);
    for (const ScenarioOutcome::Promise& promise : outcome.promises) {
      const WallMs start_ms = outcome.starts[static_cast<std::size_t>(promise.job) - 1];
      ++promises;
      ASSERT_TRUE(start_ms >= promise.made_ms && start_ms <= promise.start_ms)
          << "HYADES_DIFFERENTIAL_SEED=" << seed << ": job " << promise.job << " was promised at "
          << promise.made_ms << " to start at " << promise.start_ms << ", and did at " << start_ms
          << "\n"
          << describe(scenario);
    }
  }
  if (range.count >= 100) {
    EXPECT_GE(promises, range.count / 2);
  }
}

// Phase 2 changes where jobs start, never which, nor what is promised, nor whether that holds; that
// all of them fit, the ledger says.
TEST(PlacementDifferential, OnlyNodesChange) {
  const CaseRange range = random_cases(4000);
  int moved = 0, on_several_nodes = 0;
  for (std::uint64_t seed = range.first; seed < range.first + range.count; ++seed) {
    const Scenario scenario = random_placement_scenario(seed);
    const ScenarioOutcome outcome = ScenarioRun(scenario).run();
    ASSERT_EQ(outcome.difference, "") << explain(seed, scenario);
    moved += outcome.moved;
    on_several_nodes += outcome.on_several_nodes;
  }
  if (range.count < 100) return;
  EXPECT_GT(moved, static_cast<int>(range.count) / 2)
      << "cases in which nothing is moved show nothing";
  EXPECT_GT(on_several_nodes, static_cast<int>(range.count) / 4);
}

}  // namespace
}  // namespace hyades
