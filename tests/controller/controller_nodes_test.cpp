// What nodes say, what they are told, and what a new master finds.
#include <cmath>

#include "test_cluster.hpp"

namespace hyades {
namespace {

TEST(ControllerNodes, AReportOnTheStartAndOnTheEnd) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job());
  cluster.reports(job, LaunchState::Starting);
  cluster.expect_nothing_else();
  cluster.starts(job);
  EXPECT_EQ(cluster.expect_event<Started>(job).started_ms, SimClock::wall_start_ms + 5);
  cluster.starts(job);  // said twice
  cluster.expect_nothing_else();
  const LaunchReport again = cluster.report_on(job, LaunchState::Exited);
  cluster.exits(job, 0, StopReason::TimeLimit, 9);
  EXPECT_EQ(cluster.expect_event<Ended>(job).outcome, Outcome::TimedOut);
  cluster.expect_sent<RetireOrder>("n1");
  cluster.reports("n1", again);  // the order to retire was lost: only that is repeated
  EXPECT_EQ(cluster.expect_sent<RetireOrder>("n1").key, again.key);
}

TEST(ControllerNodes, AnExitBeforeAnybodyHeardOfTheStartIsEnough) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job());
  cluster.exits(job, 7);
  const auto ended = cluster.expect_event<Ended>(job);
  EXPECT_EQ(ended.outcome, Outcome::Failed);
  EXPECT_EQ(ended.exit_code, 7);
  EXPECT_EQ(ended.started_ms, SimClock::wall_start_ms + 5);
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(ControllerNodes, AJobWhoseScriptCouldNotBeRunHasFailedToLaunch) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job());
  LaunchReport report = cluster.report_on(job, LaunchState::Exited);
  report.exit.launch_error = "no such directory";
  cluster.reports("n1", report);
  const auto ended = cluster.expect_event<Ended>(job);
  EXPECT_EQ(ended.outcome, Outcome::LaunchFailed);
  EXPECT_EQ(ended.reason, "no such directory");
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(ControllerNodes, AnOrderThatNeverArrivedIsGivenAgain) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job().no_requeue());  // it may: it has not started
  cluster.reports(job, LaunchState::Absent, "the order came too late");
  EXPECT_FALSE(cluster.expect_event<Requeued>(job).had_started);
  EXPECT_EQ(cluster.expect_event<Assigned>(job).key.attempt, 2u);
  cluster.expect_sent<LaunchOrder>("n1");
  EXPECT_EQ(cluster.job(job).launch_failures, 0);
}

TEST(ControllerNodes, ALaunchThatDiedOnItsNodeIsRepeatedAfterAPauseAndElsewhere) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  const JobId job = cluster.launching(a_job().no_requeue());
  cluster.reports(job, LaunchState::NeverStarted, "the launch died");
  EXPECT_FALSE(cluster.expect_event<Requeued>(job).had_started);
  cluster.expect_sent<RetireOrder>("n1");
  cluster.expect_nothing_else();
  cluster.advance(1'000);
  EXPECT_EQ(cluster.expect_event<Assigned>(job).placement.node_names(), "n2");
  cluster.expect_sent<LaunchOrder>("n2");
  EXPECT_FALSE(cluster.node("n1").drained);
}

TEST(ControllerNodes, ANodeThatIsToBlameIsAvoidedAfterAPause) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  const JobId job = cluster.launching(a_job());
  cluster.node_fails(job, "spool: no space left on device");
  const auto requeued = cluster.expect_event<Requeued>(job);
  EXPECT_EQ(requeued.avoid_node, "n1");
  EXPECT_GT(requeued.not_before_ms, cluster.now_ms());
  EXPECT_EQ(cluster.controller().pending_reason(cluster.job(job), cluster.now_ms()),
            PendingReason::LaunchBackoff);
  cluster.advance(1'000);
  EXPECT_EQ(cluster.expect_event<Assigned>(job).placement.node_names(), "n2");
  cluster.expect_sent<LaunchOrder>("n2");
  EXPECT_FALSE(cluster.node("n1").drained);
}

TEST(ControllerNodes, ANodeThatFailsSeveralLaunchesInARowIsDrained) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  std::uint32_t user = TestCluster::alice;
  const auto fails = [&] {
    user = user == TestCluster::alice ? TestCluster::bob : TestCluster::alice;
    const JobId job = cluster.launching(a_job(), user);
    cluster.node_fails(job, "no processes left");
    cluster.expect_event<Requeued>(job);
  };
  fails();
  fails();
  const JobId short_job = cluster.launching(a_job());
  cluster.exits(short_job);  // one that started clears the count, also when its end comes first
  cluster.forget();
  fails();
  fails();
  EXPECT_FALSE(cluster.node("n1").drained);
  const JobId last = cluster.launching(a_job());
  cluster.node_fails(last, "no processes left");
  cluster.expect_event<Requeued>(last);
  EXPECT_EQ(cluster.expect_node_event<NodeDrained>("n1").reason, "no processes left");
  cluster.ask_as_operator(ResumeRequest{"n1"});
  cluster.forget();
  fails();
  EXPECT_FALSE(cluster.node("n1").drained) << "a resumed node begins with a clean slate";
}

// Nobody knows this user there; nobody else shall lose a node for it.
TEST(ControllerNodes, AUserWhoCanStartNothingAnywhereCostsNoNode) {
  TestCluster cluster;
  cluster.nodes(3, 4);
  std::vector<JobId> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(cluster.submit(a_job(), TestCluster::bob));
    cluster.forget();
  }
  for (int round = 0; round < 40; ++round) {
    for (const JobId job : jobs) {
      if (cluster.job(job).phase != JobPhase::Launching) continue;
      cluster.forget();
      cluster.node_fails(job, "this node has no such user");
    }
    cluster.advance(10'000);
  }
  cluster.forget();
  for (const JobId job : jobs) {
    EXPECT_TRUE(cluster.job(job).held_by_admin);
    EXPECT_NE(cluster.job(job).reason.find("no such user"), std::string::npos);
  }
  for (const char* node : {"n1", "n2", "n3"}) EXPECT_FALSE(cluster.node(node).drained) << node;
}

TEST(ControllerNodes, TwoUsersWhoCannotStartOnANodeAreProofEnough) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(cluster.node("n1").drained);
    cluster.node_fails(
        cluster.launching(a_job().only_on("n1"), i == 0 ? TestCluster::alice : TestCluster::bob),
        "no space left");
    cluster.forget();
  }
  EXPECT_TRUE(cluster.node("n1").drained);
}

TEST(ControllerNodes, AJobThatNoNodeCanStartIsHeldInTheEnd) {
  ClusterConfig config = TestCluster::patient();
  config.max_launch_failures = 2;
  TestCluster cluster(config);
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job());
  cluster.reports(job, LaunchState::NeverStarted);
  cluster.advance(1'000);
  cluster.forget();
  cluster.reports(job, LaunchState::NeverStarted);
  cluster.expect_event<Requeued>(job);
  EXPECT_TRUE(cluster.expect_event<HoldChanged>(job).by_admin);
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(ControllerNodes, ALostAttemptIsRequeuedAsOftenAsAllowed) {
  ClusterConfig config = TestCluster::patient();
  config.max_restarts = 1;
  TestCluster cluster(config);
  cluster.nodes(2, 4);
  const JobId job = cluster.running(a_job());
  cluster.reports(job, LaunchState::Lost, "the node was rebooted");
  const auto requeued = cluster.expect_event<Requeued>(job);
  EXPECT_TRUE(requeued.had_started);
  EXPECT_EQ(requeued.avoid_node, "n1");
  EXPECT_EQ(cluster.expect_event<Assigned>(job).placement.node_names(), "n2");
  cluster.expect_sent<RetireOrder>("n1");
  cluster.expect_sent<LaunchOrder>("n2");
  cluster.starts(job);
  cluster.forget();
  cluster.reports(job, LaunchState::Lost, "its shepherd was killed");
  cluster.expect_event<Requeued>(job);
  const auto held = cluster.expect_event<HoldChanged>(job);
  EXPECT_TRUE(held.by_admin);
  EXPECT_NE(held.by.find("lost 2 times"), std::string::npos) << held.by;
  cluster.expect_sent<RetireOrder>("n2");
  cluster.ask_as_operator(ReleaseRequest{job});
  cluster.starts(job);
  cluster.forget();
  cluster.reports(job, LaunchState::Lost, "its shepherd was killed");
  cluster.expect_event<Requeued>(job);  // the release has given it new chances
  cluster.expect_event<Assigned>(job);
  cluster.forget();
}

TEST(ControllerNodes, ARequeueThatWasAskedForIsNoLoss) {
  ClusterConfig config = TestCluster::patient();
  config.max_restarts = 0;
  TestCluster cluster(config);
  cluster.nodes(1, 4);
  const JobId job = cluster.running(a_job());
  cluster.ask(RequeueRequest{job});
  cluster.forget();
  cluster.exits(job, 0, StopReason::Requeue);
  cluster.expect_event<Requeued>(job);
  cluster.expect_event<Assigned>(job);
  cluster.forget();
}

TEST(ControllerNodes, OrdersThatNeverArriveAreNotRepeatedForEverWithoutAPause) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job());
  for (int i = 0; i < 2; ++i) {
    cluster.reports(job, LaunchState::Absent, "the order came too late");
    EXPECT_EQ(cluster.job(job).phase, JobPhase::Launching) << "at once, as this can be bad luck";
  }
  cluster.reports(job, LaunchState::Absent, "the order came too late");
  EXPECT_EQ(cluster.job(job).phase, JobPhase::Pending);
  EXPECT_EQ(cluster.controller().pending_reason(cluster.job(job), cluster.now_ms()),
            PendingReason::LaunchBackoff);
  cluster.advance(1'000);
  EXPECT_EQ(cluster.job(job).phase, JobPhase::Launching);
  cluster.forget();
}

TEST(ControllerNodes, ALostAttemptOfAJobThatMustNotStartTwiceEndsIt) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  const JobId job = cluster.running(a_job().no_requeue());
  cluster.reports(job, LaunchState::Lost);
  EXPECT_EQ(cluster.expect_event<Ended>(job).outcome, Outcome::NodeFailed);
  cluster.expect_sent<RetireOrder>("n1");
}

// A power cut may take every trace of a start that the master was not told of.
TEST(ControllerNodes, AfterARebootALaunchThatTheNodeForgotCountsAsStarted) {
  for (const bool may_requeue : {true, false}) {
    for (const bool master_restarts : {true, false}) {
      TestCluster cluster;
      cluster.nodes(1, 4);
      const JobId job = cluster.launching(may_requeue ? a_job() : a_job().no_requeue());
      if (master_restarts) cluster.restart();
      cluster.hello("n1", {}, "boot-2");
      EXPECT_EQ(cluster.expect_node_event<NodeDefined>("n1").boot_id, "boot-2");
      cluster.expect_sent<Welcome>("n1");
      cluster.expect_sent<QueryOrder>("n1");  // and not the order
      cluster.reports(job, LaunchState::Absent);
      if (may_requeue) {
        EXPECT_TRUE(cluster.expect_event<Requeued>(job).had_started);
        const auto again = cluster.expect_event<Assigned>(job);
        EXPECT_EQ(again.placement.shares.front().boot_id, "boot-2");
        cluster.expect_sent<LaunchOrder>("n1");
      } else {
        EXPECT_EQ(cluster.expect_event<Ended>(job).outcome, Outcome::NodeFailed);
      }
      cluster.expect_nothing_else();
    }
  }
}

TEST(ControllerNodes, AnythingThatEndsACancelledAttemptCancelsTheJob) {
  for (const LaunchState state :
       {LaunchState::NeverStarted, LaunchState::Absent, LaunchState::Lost}) {
    TestCluster cluster;
    cluster.nodes(1, 4);
    const JobId job = cluster.running(a_job());
    cluster.ask(CancelRequest{job});
    cluster.forget();
    cluster.reports(job, state);
    EXPECT_EQ(cluster.expect_event<Ended>(job).outcome, Outcome::Cancelled);
    cluster.forget();
  }
}

TEST(ControllerNodes, ReportsOnAnythingButTheCurrentAttemptChangeNothing) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.running(a_job());
  const LaunchReport old = cluster.report_on(job, LaunchState::Running);
  cluster.reports(job, LaunchState::Lost);
  cluster.starts(job);
  cluster.forget();
  LaunchReport report = old;
  cluster.reports("n1", report);  // it still runs there? Then it must not.
  EXPECT_EQ(cluster.expect_sent<StopOrder>("n1").key, old.key);
  report.state = LaunchState::Exited;
  cluster.reports("n1", report);
  EXPECT_EQ(cluster.expect_sent<RetireOrder>("n1").key, old.key);
  report.state = LaunchState::Absent;
  cluster.reports("n1", report);
  cluster.expect_nothing_else();
  EXPECT_EQ(cluster.job(job).phase, JobPhase::Running);
}

TEST(ControllerNodes, WhatAJobLeftBehindIsToldToItsOwner) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.running(a_job());
  LaunchReport report = cluster.report_on(job, LaunchState::Exited);
  report.exit.left_behind = 2;
  cluster.reports("n1", report);
  const auto ended = cluster.expect_event<Ended>(job);
  EXPECT_EQ(ended.outcome, Outcome::Completed);
  EXPECT_NE(ended.reason.find("2 processes were still running"), std::string::npos);
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(ControllerNodes, OnlyTheJobsOwnNodeIsBelieved) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  const JobId job = cluster.running(a_job());
  LaunchReport report = cluster.report_on(job, LaunchState::Exited);
  cluster.reports("n2", report);
  cluster.expect_sent<RetireOrder>("n2");
  EXPECT_EQ(cluster.job(job).phase, JobPhase::Running);
}

// ---- orders are repeated until they are answered -----------------------------------------------

TEST(ControllerNodes, AnUnansweredOrderIsRepeatedEverMoreSlowly) {
  ClusterConfig config = TestCluster::patient();
  config.resend_ms = 1000;
  TestCluster cluster(config);
  cluster.nodes(1, 4);
  const JobId job = cluster.launching(a_job());
  for (const int pause_ms : {1000, 2000, 4000}) {
    cluster.advance(pause_ms - 1);
    cluster.heartbeat("n1");
    cluster.expect_nothing_else();
    cluster.advance(1);
    EXPECT_EQ(cluster.expect_sent<LaunchOrder>("n1").key, cluster.job(job).key);
  }
  cluster.reports(job, LaunchState::Starting);
  cluster.advance(60'000);
  cluster.expect_nothing_else();
}

TEST(ControllerNodes, AStopIsRepeatedUntilTheAttemptIsOver) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.running(a_job());
  cluster.ask(CancelRequest{job});
  cluster.forget();
  cluster.starts(job);  // still there
  cluster.expect_nothing_else();
  cluster.advance(1'000);
  cluster.expect_sent<StopOrder>("n1");
}

// ---- profiles -----------------------------------------------------------------------------------

NodeProfile a_profile() { return {5, "test", {{"gemm_gflops", 50}}}; }

TEST(ControllerNodes, AProfileIsKeptUntilItIsForgotten) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  cluster.ask_as_operator(ProfileNodeRequest{"n1", a_profile()});
  cluster.expect_reply(ErrorCode::None);
  const auto event = cluster.expect_node_event<NodeProfiled>("n1");
  EXPECT_EQ(event.profile, a_profile());
  EXPECT_EQ(event.by, "operator");
  EXPECT_EQ(cluster.node("n1").profile, a_profile());
  EXPECT_FALSE(cluster.node("n2").profile);
  cluster.restart();
  EXPECT_EQ(cluster.node("n1").profile, a_profile());
  cluster.hello("n1");
  cluster.hello("n2");
  cluster.forget();
  EXPECT_EQ(cluster.node("n1").profile, a_profile());
  cluster.ask_as_operator(ProfileNodeRequest{"n1", std::nullopt});
  cluster.expect_reply(ErrorCode::None);
  EXPECT_FALSE(cluster.expect_node_event<NodeProfiled>("n1").profile);
  EXPECT_FALSE(cluster.node("n1").profile);
  cluster.restart();
  EXPECT_FALSE(cluster.node("n1").profile);
}

TEST(ControllerNodes, OnlyAnOperatorSaysWhatANodeCanDo) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  for (const std::optional<NodeProfile>& profile : {std::optional(a_profile()), {}}) {
    cluster.ask(ProfileNodeRequest{"n1", profile});
    cluster.expect_reply(ErrorCode::Denied);
  }
  cluster.ask(ProfileNodeRequest{"n1", a_profile()}, 0, Role::Admin);
  cluster.expect_reply(ErrorCode::None);
  cluster.expect_node_event<NodeProfiled>("n1");
  cluster.expect_nothing_else();
}

TEST(ControllerNodes, AProfileThatIsNoneIsRefused) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  cluster.ask_as_operator(ProfileNodeRequest{"n9", a_profile()});
  EXPECT_NE(cluster.expect_reply(ErrorCode::NotFound).find("n9"), std::string::npos);
  for (const double bad : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    NodeProfile profile = a_profile();
    profile.figures["chase_ns"] = bad;
    cluster.ask_as_operator(ProfileNodeRequest{"n1", profile});
    EXPECT_NE(cluster.expect_reply(ErrorCode::Invalid).find("chase_ns"), std::string::npos);
  }
  cluster.ask_as_operator(ProfileNodeRequest{"n1", NodeProfile{}});
  cluster.expect_reply(ErrorCode::Invalid);
  cluster.expect_nothing_else();
  EXPECT_FALSE(cluster.node("n1").profile);
}

// ---- greetings, silence, restarts --------------------------------------------------------------

TEST(ControllerNodes, AStrangerIsAskedForItsName) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  cluster.says_in_epoch("n1", 0, LaunchReport{});
  cluster.expect_sent<SayHello>("n1");
}

TEST(ControllerNodes, ANodeThatIsNotInTheConfigurationOrHasAWorkerIsRefused) {
  ClusterConfig config = TestCluster::patient();
  config.nodes = {NodeConfig{"n1", {}}, NodeConfig{"n2", {}}};
  TestCluster cluster(config);
  cluster.nodes(2, 4);
  cluster.hello_from(2, "n1");  // a second worker for n1, under another peer's number
  const auto welcome = cluster.expect_sent<Welcome>("n2");
  EXPECT_FALSE(welcome.accepted);
  EXPECT_NE(welcome.reason.find("already has a worker, process 4711"), std::string::npos);
  cluster.hello_from(2, "elsewhere");
  EXPECT_FALSE(cluster.expect_sent<Welcome>("n2").accepted);
}

TEST(ControllerNodes, ANodeWithLessThanPromisedIsDrained) {
  ClusterConfig config = TestCluster::patient();
  NodeConfig promised{"n1", {}};
  promised.inventory.memory_mib = 100'000;
  config.nodes = {promised};
  TestCluster cluster(config);
  Inventory found;
  found.cores = 4;
  found.memory_mib = 50'000;
  cluster.node("n1", found);
  EXPECT_NE(cluster.expect_node_event<NodeDrained>("n1").reason.find("50000"), std::string::npos);
}

TEST(ControllerNodes, ASilentNodesJobsWaitForProofAndItGetsNothingNew) {
  ClusterConfig config = TestCluster::patient();
  config.node_timeout_ms = 5000;
  TestCluster cluster(config);
  cluster.nodes(1, 4);
  const JobId job = cluster.running(a_job());
  cluster.advance(5001);
  EXPECT_TRUE(cluster.controller().fate_unknown(cluster.job(job)));
  const JobId waiting = cluster.submit(a_job());
  cluster.advance(3'600'000);
  cluster.expect_nothing_else();
  cluster.heartbeat("n1");
  EXPECT_FALSE(cluster.controller().fate_unknown(cluster.job(job)));
  cluster.expect_event<Assigned>(waiting);
  cluster.expect_sent<LaunchOrder>("n1");
}

TEST(ControllerNodes, ANewMasterAdoptsWhatRunsAndLearnsWhatEnded) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId runs = cluster.running(a_job());
  const JobId ended = cluster.running(a_job());
  cluster.restart();
  LaunchReport report = cluster.report_on(ended, LaunchState::Exited);
  report.exit.exit_code = 5;
  cluster.hello("n1", {cluster.report_on(runs, LaunchState::Running), report});
  EXPECT_EQ(cluster.expect_event<Ended>(ended).exit_code, 5);
  cluster.expect_sent<Welcome>("n1");
  cluster.expect_sent<RetireOrder>("n1");
  EXPECT_EQ(cluster.job(runs).phase, JobPhase::Running);
}

TEST(ControllerNodes, ANewMasterRepeatsWhatTheOldOneMayNotHaveSent) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId launching = cluster.launching(a_job());
  const JobId running = cluster.running(a_job());
  cluster.restart();
  cluster.hello("n1");  // its spool knows of nothing
  cluster.expect_sent<Welcome>("n1");
  EXPECT_EQ(cluster.expect_sent<LaunchOrder>("n1").key.job, launching);
  EXPECT_EQ(cluster.expect_sent<QueryOrder>("n1").key.job, running);
}

TEST(ControllerNodes, ANewMasterSendsTheStopThatTheOldOneOnlyRecorded) {
  for (const bool cancel : {true, false}) {
    TestCluster cluster;
    cluster.nodes(1, 4);
    const JobId job = cluster.running(a_job());
    if (cancel)
      cluster.ask(CancelRequest{job});
    else
      cluster.ask(RequeueRequest{job});
    cluster.forget();
    cluster.restart();
    cluster.hello("n1", {cluster.report_on(job, LaunchState::Running)});
    cluster.expect_sent<Welcome>("n1");
    EXPECT_EQ(cluster.expect_sent<StopOrder>("n1").reason,
              cancel ? StopReason::Cancelled : StopReason::Requeue);
  }
}

TEST(ControllerNodes, ANewMasterWaitsForItsNodesBeforeItStartsAnything) {
  ClusterConfig config = TestCluster::patient();
  config.node_timeout_ms = 5000;
  TestCluster cluster(config);
  cluster.nodes(2, 4);
  cluster.running(a_job().nodes(2).tasks(2).cores(3));
  cluster.restart();
  cluster.advance(1);
  cluster.hello("n1");
  cluster.forget();
  const JobId small = cluster.submit(a_job());
  cluster.expect_nothing_else();
  cluster.advance(4'999);
  cluster.heartbeat("n1");
  cluster.advance(1);
  cluster.expect_event<Assigned>(small);
  cluster.forget();
}

TEST(ControllerNodes, AMasterThatIsToldOfANewerOneGivesUp) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  Controller& controller = const_cast<Controller&>(cluster.controller());
  Step step;
  controller.step(Delivery{1, {1, EpochRefused{1}}}, {}, step);
  EXPECT_FALSE(controller.deposed());
  controller.step(Delivery{1, {1, EpochRefused{2}}}, {}, step);
  EXPECT_TRUE(controller.deposed());
}

}  // namespace
}  // namespace hyades
