// Every (phase, event) pair: what the table in schema/job_states.md allows leads to the phase it
// names, and everything else ends the process.
#include "core/job_table.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hyades {
namespace {

constexpr JobId job = 1;
const LaunchKey key{job, 1, 10};

JobEvent event(decltype(JobEvent::what) what) { return {job, 1000, std::move(what)}; }

Placement somewhere() {
  NodeShare share;
  share.node = "n1";
  share.tasks = 1;
  share.cores = IdSet::first(1);
  return {{share}};
}

// One event of each kind, as it would be legal somewhere.
std::vector<JobEvent> one_of_each() {
  Ended ended;
  ended.outcome = Outcome::Completed;
  return {event(Submitted{}),
          event(DependencySettled{{DependencyKind::AfterAny, 7}, true}),
          event(HoldChanged{true, false, "alice"}),
          event(Assigned{key, 1, somewhere(), StartReason::Immediate}),
          event(Started{key, 2000}),
          event(CancelRequested{"alice"}),
          event(RequeueRequested{"alice"}),
          event(Requeued{key, "why", true, 0, ""}),
          event(ended)};
}

// A table with the job in this phase; None: without it.
enum class Where { Nowhere, Pending, Launching, Running, Ended };

JobTable table_with(Where where) {
  JobTable table;
  if (where == Where::Nowhere) return table;
  Submitted submitted;
  submitted.spec.dependencies = {{DependencyKind::AfterAny, 7}};
  table.replay(event(submitted));
  if (where == Where::Pending) return table;
  table.replay(event(Assigned{key, 1, somewhere(), StartReason::Immediate}));
  if (where == Where::Launching) return table;
  table.replay(event(Started{key, 2000}));
  if (where == Where::Running) return table;
  Ended ended;
  ended.outcome = Outcome::Completed;
  table.replay(event(ended));
  return table;
}

// What schema/job_states.md section 2 says: the phase after the event, or nothing.
std::optional<JobPhase> phase_after(Where where, const std::string& name) {
  const auto among = [&](std::set<std::string> names) { return names.count(name) > 0; };
  switch (where) {
    case Where::Nowhere:
      if (name == "submitted") return JobPhase::Pending;
      break;
    case Where::Pending:
      if (among({"dependency-settled", "hold-changed", "cancel-requested"})) {
        return JobPhase::Pending;
      }
      if (name == "assigned") return JobPhase::Launching;
      if (name == "ended") return JobPhase::Ended;
      break;
    case Where::Launching:
      if (among({"hold-changed", "cancel-requested", "requeue-requested"})) {
        return JobPhase::Launching;
      }
      if (name == "started") return JobPhase::Running;
      if (name == "requeued") return JobPhase::Pending;
      if (name == "ended") return JobPhase::Ended;
      break;
    case Where::Running:
      if (among({"hold-changed", "cancel-requested", "requeue-requested"})) {
        return JobPhase::Running;
      }
      if (name == "requeued") return JobPhase::Pending;
      if (name == "ended") return JobPhase::Ended;
      break;
    case Where::Ended:
      break;
  }
  return std::nullopt;
}

class Legality : public testing::TestWithParam<Where> {};

TEST_P(Legality, OfEveryEvent) {
  testing::FLAGS_gtest_death_test_style = "fast";
  for (const JobEvent& event : one_of_each()) {
    JobTable table = table_with(GetParam());
    const auto phase = phase_after(GetParam(), event_name(event));
    if (phase) {
      EXPECT_EQ(table.replay(event).phase, *phase) << event_name(event);
    } else {
      EXPECT_DEATH(table.replay(event), "internal error") << event_name(event);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(InEveryPhase, Legality,
                         testing::Values(Where::Nowhere, Where::Pending, Where::Launching,
                                         Where::Running, Where::Ended));

TEST(JobTable, EventsOfAnotherAttemptAreIllegal) {
  testing::FLAGS_gtest_death_test_style = "fast";
  const LaunchKey other{job, 2, 11};
  JobTable launching = table_with(Where::Launching);
  EXPECT_DEATH(launching.replay(event(Started{other, 1})), "internal error");
  EXPECT_DEATH(launching.replay(event(Requeued{other, "", false, 0, ""})), "internal error");
  JobTable pending = table_with(Where::Pending);
  EXPECT_DEATH(pending.replay(event(Assigned{other, 1, somewhere(), {}})), "internal error");
}

TEST(JobTable, ADependencyIsSettledOnce) {
  testing::FLAGS_gtest_death_test_style = "fast";
  JobTable table = table_with(Where::Pending);
  EXPECT_EQ(table.find(job)->unmet.size(), 1u);
  const auto settled = event(DependencySettled{{DependencyKind::AfterAny, 7}, true});
  EXPECT_TRUE(table.replay(settled).unmet.empty());
  EXPECT_DEATH(table.replay(settled), "internal error");
}

TEST(JobTable, ARequeuedJobForgetsItsAttemptAndCountsIt) {
  JobTable table = table_with(Where::Running);
  table.replay(event(RequeueRequested{"alice"}));
  const Job& again = table.replay(event(Requeued{key, "node lost", true, 5000, "n1"}));
  EXPECT_EQ(again.restarts, 1);
  EXPECT_EQ(again.launch_failures, 0);
  EXPECT_EQ(again.attempts, 1u);
  EXPECT_TRUE(again.placement.shares.empty());
  EXPECT_EQ(again.key, LaunchKey{});
  EXPECT_EQ(again.not_before_ms, 5000);
  EXPECT_EQ(again.avoid_node, "n1");
  EXPECT_EQ(again.started_ms, 0);
  EXPECT_FALSE(again.requeue_requested);
  EXPECT_FALSE(again.eligible(4999));
}

TEST(JobTable, LaunchesThatANodeFailedAreCountedInARow) {
  JobTable table = table_with(Where::Launching);
  EXPECT_EQ(table.replay(event(Requeued{key, "", false, 0, "n1"})).launch_failures, 1);
  const LaunchKey second{job, 2, 11};
  table.replay(event(Assigned{second, 1, somewhere(), {}}));
  EXPECT_EQ(table.replay(event(Requeued{second, "lost order", false, 0, ""})).launch_failures, 1);
  const LaunchKey third{job, 3, 12};
  table.replay(event(Assigned{third, 1, somewhere(), {}}));
  EXPECT_EQ(table.replay(event(Started{third, 9})).launch_failures, 0);
}

TEST(JobTable, EndedJobsAreThereUntilTheyAreForgotten) {
  JobTable table = table_with(Where::Ended);
  ASSERT_NE(table.find(job), nullptr);
  EXPECT_EQ(table.find(job)->outcome, Outcome::Completed);
  table.forget_ended();
  EXPECT_EQ(table.find(job), nullptr);
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace hyades
