// Nodes that are unwell, by their own word or by what happens to jobs on them.
#include <tuple>

#include "test_cluster.hpp"

namespace hyades {
namespace {

ClusterConfig with_bad_node_jobs(int count) {
  ClusterConfig config = TestCluster::patient();
  config.bad_node_jobs = count;
  config.max_launch_failures = 100;
  return config;
}

// ---- health checks -----------------------------------------------------------------------------

TEST(NodeHealth, AnUnwellNodeIsDrainedAndResumesByItself) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  cluster.heartbeat("n1", "no space in /tmp");
  const auto drained = cluster.expect_node_event<NodeDrained>("n1");
  EXPECT_EQ(drained.reason, "no space in /tmp");
  EXPECT_EQ(drained.by, "health check");
  const JobId job = cluster.submit(a_job());
  cluster.heartbeat("n1", "no space in /tmp");  // the same: nothing is stored again
  cluster.expect_nothing_else();
  cluster.heartbeat("n1", "the load is too high");
  EXPECT_EQ(cluster.expect_node_event<NodeDrained>("n1").reason, "the load is too high");
  cluster.heartbeat("n1", "");
  cluster.expect_node_event<NodeResumed>("n1");
  cluster.expect_event<Assigned>(job);
  cluster.expect_sent<LaunchOrder>("n1");
}

TEST(NodeHealth, WhatRunsThereGoesOn) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.running(a_job());
  cluster.heartbeat("n1", "no space in /tmp");
  cluster.expect_node_event<NodeDrained>("n1");
  cluster.expect_nothing_else();
  cluster.exits(job);
  cluster.expect_event<Ended>(job);
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(NodeHealth, WhatAPersonDrainedStaysDrained) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  cluster.ask_as_operator(DrainRequest{"n1", "new memory"});
  cluster.heartbeat("n2", "no space in /tmp");
  cluster.ask_as_operator(DrainRequest{"n2", "new disk"});
  cluster.forget();
  cluster.heartbeat("n1", "no space in /tmp");
  cluster.heartbeat("n1", "");
  cluster.heartbeat("n2", "");
  cluster.expect_nothing_else();
  EXPECT_TRUE(cluster.node("n1").drained);
  EXPECT_EQ(cluster.node("n1").drain_reason, "new memory");
  EXPECT_TRUE(cluster.node("n2").drained) << "an operator took over what the check had drained";
}

TEST(NodeHealth, APersonWhoResumesAnUnwellNodeHasItUntilTheNextComplaint) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  cluster.heartbeat("n1", "the load is too high");
  cluster.ask_as_operator(ResumeRequest{"n1"});
  cluster.forget();
  cluster.heartbeat("n1", "the load is too high");
  cluster.expect_nothing_else();
  EXPECT_FALSE(cluster.node("n1").drained);
  cluster.heartbeat("n1", "no space in /tmp");
  cluster.expect_node_event<NodeDrained>("n1");
}

TEST(NodeHealth, ANewMasterKeepsTheDrainUntilTheFirstCheckSaysOtherwise) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  cluster.heartbeat("n1", "no space in /tmp");
  cluster.expect_node_event<NodeDrained>("n1");
  cluster.restart();
  cluster.hello("n1");
  cluster.forget();
  cluster.heartbeat("n1");  // a worker that is new as well has not looked yet
  cluster.expect_nothing_else();
  EXPECT_TRUE(cluster.node("n1").drained);
  cluster.heartbeat("n1", "");
  cluster.expect_node_event<NodeResumed>("n1");
  EXPECT_FALSE(cluster.node("n1").drained);
}

// ---- what happens to jobs ----------------------------------------------------------------------

TEST(BadNodes, JobsOfSeveralUsersThatDieBySignalsDrainTheirNode) {
  TestCluster cluster(with_bad_node_jobs(3));
  cluster.nodes(1, 4);
  const auto dies = [&](std::uint32_t uid) {
    cluster.exits(cluster.running(a_job(), uid), 0, StopReason::None, 11);
    cluster.forget();
  };
  for (int i = 0; i < 10; ++i) dies(TestCluster::alice);
  EXPECT_FALSE(cluster.node("n1").drained) << "one user's broken program";
  dies(TestCluster::bob);
  EXPECT_TRUE(cluster.node("n1").drained);
  EXPECT_EQ(cluster.node("n1").drain_reason, "11 jobs failed here within 10:00");
  EXPECT_EQ(cluster.node("n1").drained_by, "hyades");
}

TEST(BadNodes, ExitCodesAndStopsSayNothingAboutTheNode) {
  TestCluster cluster(with_bad_node_jobs(1));
  cluster.nodes(1, 4);
  for (const std::uint32_t uid : {TestCluster::alice, TestCluster::bob}) {
    for (const auto& [code, stopped, signal] :
         {std::tuple{1, StopReason::None, 0}, std::tuple{0, StopReason::TimeLimit, 15},
          std::tuple{0, StopReason::Cancelled, 9}}) {
      cluster.exits(cluster.running(a_job(), uid), code, stopped, signal);
      cluster.forget();
    }
  }
  EXPECT_FALSE(cluster.node("n1").drained);
}

TEST(BadNodes, OneUsersJobsThatFailToStartDrainTheirNodeWhenTheyHadTimeToStartElsewhere) {
  TestCluster cluster(with_bad_node_jobs(3));
  cluster.nodes(1, 4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(cluster.node("n1").drained);
    const JobId job = cluster.launching(a_job());
    cluster.reports(job, LaunchState::NeverStarted, "it died");
    cluster.ask(CancelRequest{job});
    cluster.advance(10'000);
    cluster.forget();
  }
  EXPECT_TRUE(cluster.node("n1").drained);
}

TEST(BadNodes, JobsOfTwoUsersThatFailToStartDrainTheirNode) {
  TestCluster cluster(with_bad_node_jobs(3));
  cluster.nodes(1, 4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(cluster.node("n1").drained);
    const JobId job = cluster.launching(a_job(), i == 0 ? TestCluster::alice : TestCluster::bob);
    cluster.reports(job, LaunchState::NeverStarted, "it died");
    cluster.forget();
  }
  EXPECT_TRUE(cluster.node("n1").drained);
}

TEST(BadNodes, AResumedNodeBeginsWithACleanSlate) {
  TestCluster cluster(with_bad_node_jobs(2));
  cluster.nodes(1, 4);
  std::uint32_t user = TestCluster::alice;
  const auto fails = [&] {
    user = user == TestCluster::alice ? TestCluster::bob : TestCluster::alice;
    cluster.reports(cluster.launching(a_job(), user), LaunchState::NeverStarted, "it died");
    cluster.forget();
  };
  fails();
  cluster.ask_as_operator(DrainRequest{"n1", "to look at it"});
  cluster.ask_as_operator(ResumeRequest{"n1"});
  cluster.forget();
  fails();
  EXPECT_FALSE(cluster.node("n1").drained);
  fails();
  EXPECT_TRUE(cluster.node("n1").drained);
}

TEST(BadNodes, OneJobThatFailsAgainAndAgainDrainsNothing) {
  TestCluster cluster(with_bad_node_jobs(2));
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job());
  for (int i = 0; i < 5; ++i) {
    cluster.reports(job, LaunchState::NeverStarted, "it died");
    cluster.advance(60'000);
    cluster.forget();
  }
  EXPECT_FALSE(cluster.node("n1").drained);
}

TEST(BadNodes, WhatHappenedLongAgoIsForgotten) {
  TestCluster cluster(with_bad_node_jobs(2));
  cluster.nodes(1, 4);
  for (int i = 0; i < 4; ++i) {
    cluster.reports(cluster.running(a_job().no_requeue()), LaunchState::Lost, "it was killed");
    cluster.forget();
    cluster.advance(601'000);
  }
  EXPECT_FALSE(cluster.node("n1").drained);
}

// What runs there runs as the job's user, who may have killed it.
TEST(BadNodes, PartsThatEndByThemselvesAreTheUsersAffair) {
  TestCluster cluster(with_bad_node_jobs(2));
  cluster.nodes(2, 4);
  const auto companion_ends = [&](std::uint32_t uid) {
    const JobId job = cluster.submit(a_job().nodes(2).tasks(2).no_requeue(), uid);
    cluster.reports("n2", cluster.report_on(job, LaunchState::Running));
    cluster.reports("n1", cluster.report_on(job, LaunchState::Running));
    cluster.reports("n2", cluster.report_on(job, LaunchState::Exited));
    cluster.exits(job, 0, StopReason::NodeFailure, 15);
    EXPECT_TRUE(cluster.ended(job));
    cluster.forget();
    cluster.advance(20'000);
  };
  for (int i = 0; i < 5; ++i) companion_ends(TestCluster::alice);
  EXPECT_FALSE(cluster.node("n2").drained);
  companion_ends(TestCluster::bob);
  EXPECT_TRUE(cluster.node("n2").drained) << "several users' are another matter";
}

// A reboot or a cut of its power takes all jobs of a node that may be as good as ever.
TEST(BadNodes, OneBlowThatTakesManyJobsCountsOnce) {
  TestCluster cluster(with_bad_node_jobs(2));
  cluster.nodes(1, 8);
  const auto blow = [&] {
    std::vector<JobId> jobs;
    for (int i = 0; i < 4; ++i) jobs.push_back(cluster.running(a_job().no_requeue()));
    for (const JobId job : jobs) cluster.reports(job, LaunchState::Lost, "the node was rebooted");
    cluster.forget();
  };
  blow();
  ASSERT_FALSE(cluster.node("n1").drained);
  cluster.advance(60'000);
  blow();
  EXPECT_TRUE(cluster.node("n1").drained) << "again and again is another matter";
}

}  // namespace
}  // namespace hyades
