// When to sample, in virtual time: at the periods that were asked for, together where that saves
// wake-ups, less often when nothing runs or sampling is dear, and never in bursts.
#include "telemetry/sampling_plan.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <set>

namespace hyades {
namespace {

constexpr MetricClass kAll[] = {MetricClass::Compute, MetricClass::Memory, MetricClass::Network,
                                MetricClass::Power, MetricClass::Application};

struct Seen {
  std::map<MetricClass, int> rounds;
  int wakes = 0;
  double cpu_us = 0;
  std::set<int> stretches;  // that there were
  int changes = 0;          // of them
};

// Wakes when the plan says so, from now_ms on, and moves it to `until_ms`.
Seen run(
    SamplingPlan& plan, BootMs& now_ms, BootMs until_ms,
    const std::function<std::int64_t(MetricClass)>& cost_us = [](MetricClass) { return 0; }) {
  Seen run;
  while (plan.next_wake_ms() <= until_ms) {
    EXPECT_GT(plan.next_wake_ms(), now_ms) << "no time would pass";
    now_ms = plan.next_wake_ms();
    const std::vector<MetricClass> due = plan.due(now_ms);
    EXPECT_FALSE(due.empty()) << "woken for nothing at " << now_ms;
    ++run.wakes;
    const int stretch = plan.budget_stretch();
    for (MetricClass of : due) {
      ++run.rounds[of];
      run.cpu_us += static_cast<double>(cost_us(of));
      plan.spent(of, cost_us(of), now_ms);
    }
    run.stretches.insert(plan.budget_stretch());
    run.changes += plan.budget_stretch() != stretch;
  }
  now_ms = until_ms;
  return run;
}

SamplingPlan busy_plan(const SamplingOptions& options, BootMs now_ms) {
  SamplingPlan plan(options, now_ms);
  plan.set_busy(true, now_ms);
  return plan;
}

TEST(SamplingPlan, EachClassHasItsPeriodAndSharesWakeUps) {
  BootMs now_ms = 123'456'789;
  SamplingPlan plan = busy_plan({}, now_ms);
  Seen seen = run(plan, now_ms, now_ms + 10'000);
  EXPECT_EQ(seen.rounds[MetricClass::Compute], 100);
  EXPECT_EQ(seen.rounds[MetricClass::Memory], 50);
  EXPECT_EQ(seen.rounds[MetricClass::Network], 20);
  EXPECT_EQ(seen.rounds[MetricClass::Power], 10);
  EXPECT_EQ(seen.rounds[MetricClass::Application], 20);
  EXPECT_EQ(seen.wakes, 100);
  EXPECT_EQ(plan.missed(), 0u);
}

TEST(SamplingPlan, StaysWithinWhatPeriodsMayBe) {
  const SamplingPlan plan = busy_plan({.period_ms = {1, -5, 0, 100'000, 10}}, 0);
  EXPECT_EQ(plan.period_ms(MetricClass::Compute), kPeriodMinMs);
  EXPECT_EQ(plan.period_ms(MetricClass::Memory), 0);
  EXPECT_EQ(plan.period_ms(MetricClass::Network), 0);
  EXPECT_EQ(plan.period_ms(MetricClass::Power), kPeriodMaxMs);
  EXPECT_EQ(plan.period_ms(MetricClass::Application), 10);
}

TEST(SamplingPlan, WhatIsNotSampledIsNeverDue) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({.period_ms = {0, 0, 500, 0, 0}}, now_ms);
  Seen seen = run(plan, now_ms, 10'000);
  EXPECT_EQ(seen.rounds.size(), 1u);
  EXPECT_EQ(seen.wakes, 20);
  SamplingPlan none = busy_plan({.period_ms = {}}, 0);
  EXPECT_TRUE(none.due(1'000'000).empty());
  EXPECT_EQ(none.next_wake_ms(), std::numeric_limits<BootMs>::max());
  none.spent(MetricClass::Power, 1'000'000, 5);
  EXPECT_EQ(none.share(), 0);
}

TEST(SamplingPlan, BacksOffWhenNoJobRuns) {
  BootMs now_ms = 0;
  SamplingPlan plan({}, now_ms);
  EXPECT_FALSE(plan.is_busy());
  EXPECT_EQ(plan.period_ms(MetricClass::Compute), 1000);
  EXPECT_EQ(plan.configured_period_ms(MetricClass::Compute), 100);
  EXPECT_EQ(run(plan, now_ms, 100'000).wakes, 100);
  plan.set_busy(true, now_ms);
  EXPECT_EQ(plan.next_wake_ms(), 100'100);  // at once, not after what was planned
  EXPECT_EQ(run(plan, now_ms, 101'000).wakes, 10);
  plan.set_busy(false, now_ms);
  EXPECT_EQ(plan.next_wake_ms(), 102'000);
  SamplingPlan slow({.period_ms = {30'000, 0, 0, 0, 0}}, 0);
  EXPECT_EQ(slow.period_ms(MetricClass::Compute), kPeriodMaxMs);
}

TEST(SamplingPlan, DoesNotMakeUpForAStall) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({}, now_ms);
  run(plan, now_ms, 1'000);
  now_ms += 3'600'040;  // asleep for an hour
  EXPECT_EQ(plan.due(now_ms).size(), 5u);
  EXPECT_TRUE(plan.due(now_ms).empty());
  EXPECT_EQ(plan.next_wake_ms(), 3'601'100);
  EXPECT_GT(plan.missed(), 36'000u);
  EXPECT_EQ(run(plan, now_ms, now_ms + 1'000).wakes, 10);
}

TEST(SamplingPlan, LateWakeUpsDoNotMoveTheNext) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({}, now_ms);
  EXPECT_EQ(plan.due(137).size(), 1u);
  EXPECT_EQ(plan.next_wake_ms(), 200);
  EXPECT_TRUE(plan.due(199).empty());
}

TEST(SamplingPlan, AsksForNothingWhileItIsCheap) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({}, now_ms);
  // 20 us ten times a second are 0.02 %, and so on: 0.3 % in all.
  const Seen seen = run(plan, now_ms, 120'000, [](MetricClass) { return 158; });
  EXPECT_EQ(seen.stretches, std::set<int>{1});
  EXPECT_NEAR(plan.share(), 158e-6 * 20, 1e-4);
}

TEST(SamplingPlan, KeepsWithinItsBudgetAndComesBack) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({}, now_ms);
  const auto dear = [](MetricClass of) { return of == MetricClass::Compute ? 2'000 : 100; };
  run(plan, now_ms, 60'000, dear);
  const Seen settled = run(plan, now_ms, 360'000, dear);
  EXPECT_EQ(settled.stretches.size(), 1u) << "it swings";
  EXPECT_LE(settled.cpu_us / 300e6, 0.004);
  EXPECT_GT(settled.cpu_us / 300e6, 0.002) << "it sleeps";
  EXPECT_EQ(plan.period_ms(MetricClass::Power) % plan.period_ms(MetricClass::Compute), 0);
  EXPECT_GT(plan.budget_stretch(), 1);
  run(plan, now_ms, 500'000, [](MetricClass) { return 10; });
  EXPECT_EQ(plan.budget_stretch(), 1);
  EXPECT_EQ(plan.period_ms(MetricClass::Compute), 100);
}

TEST(SamplingPlan, DoesNotSwingAroundItsBudget) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({.period_ms = {100, 0, 0, 0, 0}}, now_ms);
  int round = 0;
  // 0.43 % and 0.37 % at the shorter period, for four hundred rounds each.
  const Seen seen =
      run(plan, now_ms, 800'000, [&](MetricClass) { return ++round / 400 % 2 ? 370 : 430; });
  EXPECT_EQ(seen.stretches, (std::set<int>{1, 2}));
  EXPECT_EQ(seen.changes, 1);
  EXPECT_EQ(plan.budget_stretch(), 2);
}

TEST(SamplingPlan, OneDearRoundIsForgiven) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({}, now_ms);
  run(plan, now_ms, 60'000, [](MetricClass) { return 50; });
  plan.spent(MetricClass::Compute, 20'000, now_ms + 100);
  EXPECT_EQ(plan.budget_stretch(), 1);
}

TEST(SamplingPlan, WithoutABudgetItIsNeverTooDear) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({.budget_share = 0}, now_ms);
  run(plan, now_ms, 60'000, [](MetricClass) { return 50'000; });
  EXPECT_EQ(plan.budget_stretch(), 1);
}

TEST(SamplingPlan, SurvivesAbsurdCosts) {
  BootMs now_ms = 0;
  SamplingPlan plan = busy_plan({}, now_ms);
  const auto never = std::numeric_limits<std::int64_t>::max();
  run(plan, now_ms, 60'000, [&](MetricClass) { return never; });
  for (MetricClass of : kAll) EXPECT_EQ(plan.period_ms(of), kPeriodMaxMs);
  run(plan, now_ms, 3'600'000, [&](MetricClass) { return -never; });
  EXPECT_EQ(plan.period_ms(MetricClass::Compute), 100);
  run(plan, now_ms, 3'660'000, [&](MetricClass) { return 2'000; });
  EXPECT_GT(plan.period_ms(MetricClass::Compute), 100) << "it has become blind";
}

}  // namespace
}  // namespace hyades
