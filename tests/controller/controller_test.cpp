// What clients ask for and what the controller makes of it: events, orders, answers.
#include "test_cluster.hpp"

namespace hyades {
namespace {

using Kind = DependencyKind;

TEST(Controller, AJobThatFitsIsSubmittedAssignedAndLaunched) {
  TestCluster cluster;
  cluster.nodes(2, 16);
  const JobId job = cluster.submit(a_job().cores(8));
  const auto assigned = cluster.expect_event<Assigned>(job);
  EXPECT_EQ(assigned.key, (LaunchKey{job, 1, 1}));
  EXPECT_EQ(assigned.placement.node_names(), "n1");
  EXPECT_EQ(assigned.placement.shares.front().cores.to_string(), "0-7");
  EXPECT_EQ(assigned.why, StartReason::Immediate);
  const auto order = cluster.expect_sent<LaunchOrder>("n1");
  EXPECT_EQ(order.key, assigned.key);
  EXPECT_EQ(order.own_share().node, "n1");
  cluster.expect_nothing_else();
}

TEST(Controller, IdsAreCountedAndLaunchSequencesRise) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  for (JobId expected = 1; expected <= 3; ++expected) {
    EXPECT_EQ(cluster.submit(a_job()), expected);
    EXPECT_EQ(cluster.expect_event<Assigned>(expected).key.sequence, expected);
    cluster.expect_sent<LaunchOrder>("n1");
  }
}

TEST(Controller, WhatDoesNotFitNowWaitsAndStartsWhenThereIsRoom) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId first = cluster.running(a_job().cores(3));
  const JobId second = cluster.submit(a_job().cores(2));
  cluster.expect_nothing_else();
  EXPECT_EQ(cluster.controller().pending_reason(cluster.job(second), cluster.now_ms()),
            PendingReason::Resources);
  EXPECT_EQ(cluster.controller().expected_start_ms(second), cluster.job(first).expected_end_ms());
  cluster.exits(first);
  EXPECT_EQ(cluster.expect_event<Ended>(first).outcome, Outcome::Completed);
  cluster.expect_event<Assigned>(second);
  cluster.expect_sent<RetireOrder>("n1");
  cluster.expect_sent<LaunchOrder>("n1");
}

TEST(Controller, WhatCanNeverFitIsRefusedWithAReason) {
  TestCluster cluster;
  cluster.nodes(2, 4);
  SubmitRequest request;
  const std::pair<JobSpec, const char*> never[] = {
      {a_job().cores(5), "1 task(s) of 5 core(s); its largest node has 4 cores"},
      {a_job().gpus(2), "not enough nodes with 2 gpu;"},
      {a_job().feature("avx512"), "not enough nodes with avx512;"},
      {a_job().only_on("n9"), "the nodes that it names"},
      {a_job().not_on("n1").not_on("n2"), "the nodes that it excludes"},
      {a_job().memory(100'000),
       "the memory that it asks for; its largest node has 4 cores and 64G"},
      {a_job().nodes(3).tasks(3), "not 3 nodes for it"},
      {a_job().gpus(1).cores(5), "1 task(s) of 5 core(s)"},
  };
  for (const auto& [spec, why] : never) {
    request.spec = spec;
    cluster.ask(request);
    const std::string reply = cluster.expect_reply(ErrorCode::Invalid);
    EXPECT_NE(reply.find(why), std::string::npos) << reply;
  }
  request.spec = a_job().queue("night");
  cluster.ask(request);
  EXPECT_NE(cluster.expect_reply(ErrorCode::Invalid).find("'night'"), std::string::npos);
  request.spec = a_job().tasks(0);
  cluster.ask(request);
  cluster.expect_reply(ErrorCode::Invalid);
  request.spec = a_job().priority(1);
  cluster.ask(request);
  cluster.expect_reply(ErrorCode::Denied);
}

TEST(Controller, NothingIsRefusedForItsSizeBeforeAllNodesAreKnown) {
  ClusterConfig config = TestCluster::patient();
  config.nodes = {NodeConfig{"n1", {}}, NodeConfig{"n2", {}}};
  TestCluster cluster(config);
  cluster.nodes(1, 4);
  const JobId job = cluster.submit(a_job().nodes(2).tasks(2));  // n2 is still to come
  cluster.expect_nothing_else();
  cluster.nodes(1, 4);
  EXPECT_EQ(cluster.expect_event<Assigned>(job).placement.node_names(), "n1,n2");
  EXPECT_TRUE(cluster.expect_sent<LaunchOrder>("n2").is_companion());
  SubmitRequest request;
  request.spec = a_job().nodes(3).tasks(3);
  cluster.ask(request);
  cluster.expect_reply(ErrorCode::Invalid);
}

TEST(Controller, LimitsOfAQueueRefuseOrKeepBack) {
  ClusterConfig config = TestCluster::patient();
  config.queues.front().max_queued_per_user = 3;
  config.queues.front().max_running_per_user = 1;
  config.queues.front().max_time_s = 7200;
  TestCluster cluster(config);
  cluster.nodes(1, 8);
  const JobId first = cluster.running(a_job());
  const JobId second = cluster.submit(a_job());
  cluster.expect_nothing_else();
  EXPECT_EQ(cluster.controller().pending_reason(cluster.job(second), cluster.now_ms()),
            PendingReason::QueueLimit);
  const JobId of_bob = cluster.launching(a_job(), TestCluster::bob);
  EXPECT_EQ(cluster.job(of_bob).phase, JobPhase::Launching);
  cluster.submit(a_job());
  SubmitRequest request;
  request.spec = a_job();
  cluster.ask(request);
  cluster.expect_reply(ErrorCode::LimitReached);
  request.spec.time_limit_s = 7201;
  cluster.ask(request, TestCluster::bob);
  cluster.expect_reply(ErrorCode::LimitReached);
  cluster.exits(first);
  cluster.expect_event<Ended>(first);
  cluster.expect_event<Assigned>(second);
  cluster.forget();
}

TEST(Controller, AJobThatBeginsLaterStartsThenAndWaitsAgainWhenTheClockIsSetBack) {
  TestCluster cluster;
  cluster.nodes(1, 4);
  const JobId job = cluster.submit(a_job().begin(cluster.now_ms() + 10'000));
  EXPECT_EQ(cluster.controller().pending_reason(cluster.job(job), cluster.now_ms()),
            PendingReason::BeginTime);
  cluster.advance(9'999);
  cluster.expect_nothing_else();
  const JobId blocker = cluster.running(a_job().cores(4));
  cluster.advance(1);  // now it is eligible, but there is no room
  cluster.expect_nothing_else();
  cluster.set_clock(-5'000);
  cluster.exits(blocker);
  cluster.expect_event<Ended>(blocker);
  cluster.expect_sent<RetireOrder>("n1");
  cluster.expect_nothing_else();
  cluster.heartbeat("n1");
  cluster.advance(4'000);
  cluster.heartbeat("n1");
  cluster.expect_nothing_else();
  cluster.advance(1'000);
  cluster.expect_event<Assigned>(job);
  cluster.expect_sent<LaunchOrder>("n1");
}

// ---- cancel ------------------------------------------------------------------------------------

TEST(Controller, CancellingAWaitingJobEndsIt) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  cluster.running(a_job());
  const JobId waiting = cluster.submit(a_job());
  cluster.ask(CancelRequest{waiting});
  cluster.expect_event<CancelRequested>(waiting);
  EXPECT_EQ(cluster.expect_event<Ended>(waiting).outcome, Outcome::Cancelled);
  cluster.expect_reply(ErrorCode::None);
  cluster.ask(CancelRequest{waiting});
  cluster.expect_reply(ErrorCode::Conflict);
  cluster.ask(CancelRequest{99});
  cluster.expect_reply(ErrorCode::NotFound);
}

TEST(Controller, CancellingARunningJobStopsItAndEndsWithItsTruth) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  const JobId job = cluster.running(a_job());
  cluster.ask(CancelRequest{job});
  EXPECT_EQ(cluster.expect_event<CancelRequested>(job).by, "alice");
  EXPECT_EQ(cluster.expect_sent<StopOrder>("n1").reason, StopReason::Cancelled);
  cluster.expect_reply(ErrorCode::None);
  cluster.ask(CancelRequest{job});  // once more changes nothing
  cluster.expect_reply(ErrorCode::None);
  cluster.exits(job, 0, StopReason::Cancelled, 15);
  const auto ended = cluster.expect_event<Ended>(job);
  EXPECT_EQ(ended.outcome, Outcome::Cancelled);
  EXPECT_EQ(ended.signal, 15);
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(Controller, AJobThatEndedByItselfBeforeItsCancelWasHeardKeepsItsResult) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  const JobId job = cluster.running(a_job());
  cluster.ask(CancelRequest{job});
  cluster.forget();
  cluster.exits(job, 3);
  const auto ended = cluster.expect_event<Ended>(job);
  EXPECT_EQ(ended.outcome, Outcome::Failed);
  EXPECT_EQ(ended.exit_code, 3);
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(Controller, OnlyTheOwnerAndOperatorsMayActOnAJob) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  const JobId job = cluster.running(a_job());
  cluster.ask(CancelRequest{job}, TestCluster::bob);
  cluster.expect_reply(ErrorCode::Denied);
  cluster.ask(SignalRequest{job, 10}, TestCluster::bob);
  cluster.expect_reply(ErrorCode::Denied);
  cluster.expect_nothing_else();
  cluster.ask_as_operator(CancelRequest{job});
  cluster.expect_event<CancelRequested>(job);
  cluster.expect_reply(ErrorCode::None);
  cluster.expect_sent<StopOrder>("n1");
}

// ---- hold, release, requeue, signal ------------------------------------------------------------

TEST(Controller, AHeldJobWaitsUntilItIsReleased) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  const JobId job = cluster.submit(a_job().held());
  cluster.expect_nothing_else();
  EXPECT_EQ(cluster.controller().pending_reason(cluster.job(job), cluster.now_ms()),
            PendingReason::HeldByUser);
  cluster.ask(ReleaseRequest{job});
  EXPECT_FALSE(cluster.expect_event<HoldChanged>(job).held);
  cluster.expect_reply(ErrorCode::None);
  cluster.expect_event<Assigned>(job);
  cluster.expect_sent<LaunchOrder>("n1");
  cluster.ask(HoldRequest{job});
  cluster.expect_reply(ErrorCode::Conflict);
}

TEST(Controller, WhatAnOperatorHeldOnlyAnOperatorReleases) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  cluster.running(a_job());
  const JobId job = cluster.submit(a_job());
  cluster.ask_as_operator(HoldRequest{job});
  EXPECT_TRUE(cluster.expect_event<HoldChanged>(job).by_admin);
  cluster.expect_reply(ErrorCode::None);
  cluster.ask(ReleaseRequest{job});
  cluster.expect_reply(ErrorCode::Denied);
  cluster.ask_as_operator(ReleaseRequest{job});
  cluster.expect_event<HoldChanged>(job);
  cluster.expect_reply(ErrorCode::None);
}

TEST(Controller, RequeueStopsTheAttemptAndStartsTheNextOneOnlyWhenItIsOver) {
  TestCluster cluster;
  cluster.nodes(2, 1);
  const JobId job = cluster.running(a_job());
  cluster.ask(RequeueRequest{job});
  cluster.expect_event<RequeueRequested>(job);
  EXPECT_EQ(cluster.expect_sent<StopOrder>("n1").reason, StopReason::Requeue);
  cluster.expect_reply(ErrorCode::None);
  cluster.expect_nothing_else();
  cluster.exits(job, 0, StopReason::Requeue, 15);
  EXPECT_TRUE(cluster.expect_event<Requeued>(job).had_started);
  EXPECT_EQ(cluster.expect_event<Assigned>(job).key.attempt, 2u);
  cluster.expect_sent<RetireOrder>("n1");
  EXPECT_EQ(cluster.expect_sent<LaunchOrder>("n1").restarts, 1);
  cluster.ask(RequeueRequest{cluster.submit(a_job().held())});
  cluster.expect_reply(ErrorCode::Conflict);
}

TEST(Controller, ACancelBeatsARequeue) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  const JobId job = cluster.running(a_job());
  cluster.ask(RequeueRequest{job});
  cluster.ask(CancelRequest{job});
  cluster.forget();
  cluster.exits(job, 0, StopReason::Requeue, 15);
  EXPECT_EQ(cluster.expect_event<Ended>(job).outcome, Outcome::Cancelled);
  cluster.expect_sent<RetireOrder>("n1");
}

TEST(Controller, ASignalGoesToTheNodeIfTheJobRunsAndTheNodeAnswers) {
  TestCluster cluster;
  cluster.nodes(1, 1);
  const JobId job = cluster.running(a_job());
  cluster.ask(SignalRequest{job, 10, true});
  EXPECT_TRUE(cluster.expect_sent<SignalOrder>("n1").batch_only);
  cluster.expect_reply(ErrorCode::None);
  cluster.ask(SignalRequest{job, 65});
  cluster.expect_reply(ErrorCode::Invalid);
  cluster.ask(SignalRequest{cluster.submit(a_job()), 10});
  cluster.expect_reply(ErrorCode::Conflict);
  cluster.restart();  // the node has not said hello to this master
  cluster.ask(SignalRequest{job, 10});
  cluster.expect_reply(ErrorCode::Unavailable);
}

// ---- dependencies ------------------------------------------------------------------------------

TEST(Controller, DependenciesAreMetByHowTheOtherJobEnds) {
  struct Case {
    Kind kind;
    int exit_code;
    bool met;
  };
  for (const Case& c : {Case{Kind::AfterAny, 0, true}, Case{Kind::AfterAny, 1, true},
                        Case{Kind::AfterOk, 0, true}, Case{Kind::AfterOk, 1, false},
                        Case{Kind::AfterNotOk, 0, false}, Case{Kind::AfterNotOk, 1, true}}) {
    TestCluster cluster;
    cluster.nodes(1, 8);
    const JobId first = cluster.running(a_job());
    const JobId second = cluster.submit(a_job().after(c.kind, first));
    cluster.expect_nothing_else();
    cluster.exits(first, c.exit_code);
    cluster.expect_event<Ended>(first);
    EXPECT_EQ(cluster.expect_event<DependencySettled>(second).met, c.met);
    if (c.met) {
      cluster.expect_event<Assigned>(second);
    } else {
      EXPECT_EQ(cluster.expect_event<Ended>(second).outcome, Outcome::Cancelled);
    }
    cluster.expect_sent<RetireOrder>("n1");
    if (c.met) cluster.expect_sent<LaunchOrder>("n1");
  }
}

TEST(Controller, AfterIsMetByTheStart) {
  TestCluster cluster;
  cluster.nodes(1, 8);
  const JobId first = cluster.launching(a_job());
  const JobId second = cluster.submit(a_job().after(Kind::After, first));
  cluster.expect_nothing_else();
  cluster.starts(first);
  cluster.expect_event<Started>(first);
  cluster.expect_event<DependencySettled>(second);
  cluster.expect_event<Assigned>(second);
  cluster.expect_sent<LaunchOrder>("n1");
}

TEST(Controller, AChainOfJobsThatCanNoLongerRunEndsToItsEnd) {
  TestCluster cluster;
  cluster.nodes(1, 8);
  const JobId first = cluster.running(a_job());
  const JobId second = cluster.submit(a_job().after(Kind::AfterOk, first));
  const JobId third = cluster.submit(a_job().after(Kind::AfterOk, second));
  const JobId regardless = cluster.submit(a_job().after(Kind::AfterAny, third));
  cluster.exits(first, 1);
  cluster.expect_event<Ended>(first);
  for (const JobId id : {second, third}) {
    EXPECT_FALSE(cluster.expect_event<DependencySettled>(id).met);
    EXPECT_NE(cluster.expect_event<Ended>(id).reason.find("DependencyNeverSatisfied"),
              std::string::npos);
  }
  cluster.expect_event<DependencySettled>(regardless);
  cluster.expect_event<Assigned>(regardless);
  cluster.forget();
}

TEST(Controller, ADependencyOnAnEndedOrUnknownJobIsSettledAtOnce) {
  TestCluster cluster;
  cluster.nodes(1, 8);
  const JobId first = cluster.running(a_job());
  cluster.exits(first, 1);
  cluster.forget();
  const JobId second = cluster.submit(a_job().after(Kind::AfterNotOk, first));
  cluster.expect_event<DependencySettled>(second);
  cluster.expect_event<Assigned>(second);
  cluster.expect_sent<LaunchOrder>("n1");
  SubmitRequest request;
  request.spec = a_job().after(Kind::AfterOk, first);
  cluster.ask(request);
  cluster.expect_reply(ErrorCode::Conflict);
  request.spec = a_job().after(Kind::AfterOk, 77);
  cluster.ask(request);
  cluster.expect_reply(ErrorCode::NotFound);
}

// ---- nodes -------------------------------------------------------------------------------------

TEST(Controller, ADrainedNodeGetsNothingNewAndKeepsWhatRuns) {
  TestCluster cluster;
  cluster.nodes(1, 2);
  const JobId running = cluster.running(a_job());
  cluster.ask(DrainRequest{"n1", "a fan is loud"});
  cluster.expect_reply(ErrorCode::Denied);
  cluster.ask_as_operator(DrainRequest{"n1", ""});
  cluster.expect_reply(ErrorCode::Invalid);
  cluster.ask_as_operator(DrainRequest{"n1", "a fan is loud"});
  EXPECT_EQ(cluster.expect_node_event<NodeDrained>("n1").by, "operator");
  cluster.expect_reply(ErrorCode::None);
  const JobId waiting = cluster.submit(a_job());
  EXPECT_EQ(cluster.controller().pending_reason(cluster.job(waiting), cluster.now_ms()),
            PendingReason::NodesUnavailable);
  EXPECT_EQ(cluster.job(running).phase, JobPhase::Running);
  cluster.restart();  // a drain outlives the master
  cluster.hello("n1", {cluster.report_on(running, LaunchState::Running)});
  cluster.expect_sent<Welcome>("n1");
  cluster.expect_nothing_else();
  cluster.ask_as_operator(ResumeRequest{"n1"});
  cluster.expect_node_event<NodeResumed>("n1");
  cluster.expect_reply(ErrorCode::None);
  cluster.expect_event<Assigned>(waiting);
  cluster.expect_sent<LaunchOrder>("n1");
}

TEST(Controller, AReloadThatTakesAwayAQueueWithJobsIsRefused) {
  ClusterConfig config = TestCluster::patient();
  config.queues.push_back(QueueConfig{"night"});
  TestCluster cluster(config);
  cluster.nodes(1, 2);
  cluster.submit(a_job().queue("night").held());
  const auto smaller = std::make_shared<const ClusterConfig>();
  cluster.ask(ReloadRequest{smaller}, 0, Role::Operator);
  cluster.expect_reply(ErrorCode::Denied);
  cluster.ask(ReloadRequest{smaller}, 0, Role::Admin);
  EXPECT_NE(cluster.expect_reply(ErrorCode::Conflict).find("'night'"), std::string::npos);
}

// ---- lent cores
// ----------------------------------------------------------------------------------

class LoanTest : public testing::Test {
 protected:
  TestCluster cluster_;
  JobId job_ = 0;
  BootMs sent_ms_ = 0;

  void SetUp() override {
    cluster_.nodes(1, 8);
    job_ = cluster_.submit(a_job().cores(2));
    cluster_.expect_event<Assigned>(job_);
    cluster_.expect_sent<LaunchOrder>("n1");
    cluster_.reports(job_, LaunchState::Running);
    cluster_.expect_event<Started>(job_);
  }
  void report(const char* cores, const std::string& why) {
    LaunchReport report;
    report.key = cluster_.job(job_).key;
    report.state = LaunchState::Running;
    report.started_ms = SimClock::wall_start_ms + 5;
    EXPECT_TRUE(IdSet::parse(cores, report.loan.cores));
    report.loan.why = why;
    report.sent_ms = sent_ms_;
    cluster_.reports("n1", report);
  }
};

TEST_F(LoanTest, EveryChangeIsAnEventAndASecondWordOfItIsNone) {
  report("6-7", "busy");
  const auto lent = cluster_.expect_event<CoresLent>(job_);
  EXPECT_EQ(lent.node, "n1");
  EXPECT_EQ(lent.loan.cores.to_string(), "6-7");
  EXPECT_EQ(lent.loan.why, "busy");
  report("6-7", "busy");
  ASSERT_EQ(cluster_.job(job_).loans.size(), 1u);
  EXPECT_EQ(cluster_.job(job_).loans[0].since_ms, cluster_.now_ms());
  report("", "job 9 was given 2 cores");
  EXPECT_EQ(cluster_.expect_event<CoresLent>(job_).loan.why, "job 9 was given 2 cores");
  EXPECT_TRUE(cluster_.job(job_).loans.empty());
}

TEST_F(LoanTest, AWordThatComesLateIsPassedOver) {
  sent_ms_ = 2000;
  report("6-7", "busy");
  cluster_.expect_event<CoresLent>(job_);
  sent_ms_ = 1000;
  report("7", "was busy before");
  EXPECT_EQ(cluster_.job(job_).loans.at(0).loan.cores.to_string(), "6-7");
}

TEST_F(LoanTest, AreOfOneAttempt) {
  report("6-7", "busy");
  cluster_.expect_event<CoresLent>(job_);
  cluster_.restart();
  ASSERT_EQ(cluster_.job(job_).loans.size(), 1u);
  cluster_.hello("n1");
  cluster_.expect_sent<Welcome>("n1");
  cluster_.expect_sent<QueryOrder>("n1");
  cluster_.reports(job_, LaunchState::Lost, "its shepherd was killed");
  cluster_.expect_event<Requeued>(job_);
  cluster_.expect_sent<RetireOrder>("n1");
  EXPECT_TRUE(cluster_.job(job_).loans.empty());
  cluster_.expect_event<Assigned>(job_);  // again
  cluster_.expect_sent<LaunchOrder>("n1");
}

TEST_F(LoanTest, CapsOfPowerAreEventsToo) {
  const auto report_cap = [&](int percent, const std::string& why) {
    LaunchReport report;
    report.key = cluster_.job(job_).key;
    report.state = LaunchState::Running;
    report.started_ms = SimClock::wall_start_ms + 5;
    report.cap = {percent, why, "it pauses"};
    cluster_.reports("n1", report);
  };
  const auto obstacle = [&] { return cluster_.controller().power_obstacle(cluster_.job(job_)); };
  report_cap(85, "it lost nothing");
  EXPECT_EQ(obstacle(), "n1: it pauses");
  const auto capped = cluster_.expect_event<PowerCapped>(job_);
  EXPECT_EQ(capped.node, "n1");
  EXPECT_EQ(capped.cap, (PowerCap{85, "it lost nothing"}));
  report_cap(85, "it lost nothing");
  ASSERT_EQ(cluster_.job(job_).caps.size(), 1u);
  EXPECT_EQ(cluster_.job(job_).caps[0].cap.percent, 85);
  report_cap(100, "");
  EXPECT_EQ(cluster_.expect_event<PowerCapped>(job_).cap.why, "a new worker began anew");
  EXPECT_TRUE(cluster_.job(job_).caps.empty());
}

TEST(PowerMargin, WhatKeepsItFromHavingLessIsKnown) {
  TestCluster cluster(TestCluster::patient());
  cluster.nodes(1, 8);
  JobSpec spec = a_job();
  spec.power_margin = 5;
  const JobId job = cluster.submit(spec);
  LaunchReport report = cluster.report_on(job, LaunchState::Running);
  report.cap.obstacle = "cap_power is off";
  cluster.forget();
  cluster.reports("n1", report);
  cluster.expect_event<Started>(job);
  cluster.expect_nothing_else();  // it is no event
  EXPECT_EQ(cluster.controller().power_obstacle(cluster.job(job)), "n1: cap_power is off");
}

TEST(PowerMargin, IsTheQueuesWhereTheJobSaysNothing) {
  ClusterConfig config = TestCluster::patient();
  config.queues = {{.name = "green", .power_margin = 5}, {.name = "plain"}};
  TestCluster cluster(config);
  cluster.nodes(1, 8);
  const auto margin = [&](const JobSpec& spec) {
    return cluster.job(cluster.submit(spec)).spec.power_margin;
  };
  JobSpec none = a_job().held();
  none.power_margin = -1;
  JobSpec more = a_job().held();
  more.power_margin = 20;
  EXPECT_EQ(margin(a_job().held()), 5);
  EXPECT_EQ(margin(none), -1);
  EXPECT_EQ(margin(more), 20);
  EXPECT_EQ(margin(a_job().held().queue("plain")), 0);
}

TEST(Elastic, IsTheQueuesWhereTheJobSaysNothing) {
  ClusterConfig config = TestCluster::patient();
  config.queues = {{.name = "batch", .elastic = true}, {.name = "plain"}};
  TestCluster cluster(config);
  JobSpec no = a_job().held();
  no.elastic = -1;
  JobSpec some = a_job().held();
  some.elastic = 3;
  const auto elastic = [&](const JobSpec& spec) {
    return cluster.job(cluster.submit(spec)).spec.elastic;
  };
  cluster.nodes(1, 8);
  EXPECT_EQ(elastic(a_job().held()), Limits::count_max);
  EXPECT_EQ(elastic(no), -1);
  EXPECT_EQ(elastic(some), 3);
  EXPECT_EQ(elastic(a_job().held().queue("plain")), 0);
}

}  // namespace
}  // namespace hyades
