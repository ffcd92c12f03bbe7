// Silent nodes: their jobs wait for proof, and what counts as one.
#include <gtest/gtest.h>

#include "test_cluster.hpp"

namespace hyades {
namespace {

ClusterConfig impatient() {
  ClusterConfig config;
  config.node_timeout_ms = 5'000;
  config.kill_grace_s = 2;
  return config;
}

class Deaths : public testing::Test {
 protected:
  explicit Deaths(const ClusterConfig& config = impatient()) : cluster_(config) {
    cluster_.nodes(2, 4);
  }

  // For so long only n2 is heard.
  void silence(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      cluster_.advance(1000);
      cluster_.heartbeat("n2");
    }
  }

  TestCluster cluster_;
};

TEST_F(Deaths, WithoutProofAJobWaitsForEver) {
  const JobId job = cluster_.running(a_job().only_on("n1"));
  silence(86'400);
  cluster_.expect_nothing_else();
  EXPECT_TRUE(cluster_.controller().fate_unknown(cluster_.job(job)));
  const std::string fate = cluster_.controller().fate(cluster_.job(job), cluster_.now());
  EXPECT_NE(fate.find("n1 does not respond"), std::string::npos) << fate;
  EXPECT_NE(fate.find("confirmed dead"), std::string::npos) << fate;
}

TEST_F(Deaths, AHeartbeatRenewsTheLeasesThatStillCount) {
  const JobId leased = cluster_.running(a_job().only_on("n1").lease(20));
  cluster_.running(a_job().only_on("n1"));
  const LaunchKey key = cluster_.job(leased).key;
  cluster_.says("n1", heartbeat_at(4711));
  const Renewal renewal = cluster_.expect_sent<Renewal>("n1");
  EXPECT_EQ(renewal.echo_ms, 4711);
  EXPECT_EQ(renewal.leases, std::vector<LaunchKey>{key});
  cluster_.exits(leased);
  cluster_.forget();
  cluster_.says("n1", heartbeat_at(4712));
  EXPECT_TRUE(cluster_.expect_sent<Renewal>("n1").leases.empty());
}

// By the clock of a boot that is over it may be a moment that has yet to come: the lease would
// outlive what the master counts.
TEST_F(Deaths, ALateHeartbeatOfAnEarlierBootRenewsNothing) {
  const JobId job = cluster_.running(a_job().only_on("n1").lease(20));
  cluster_.hello("n1", {cluster_.report_on(job, LaunchState::Running)}, "boot-2");
  cluster_.forget();
  cluster_.says("n1", heartbeat_at(9'000'000, "boot-1"));
  cluster_.expect_sent<SayHello>("n1");
  cluster_.expect_nothing_else();
  cluster_.says("n1", heartbeat_at(11, "boot-2"));
  EXPECT_TRUE(cluster_.expect_sent<Renewal>("n1").leases.empty());  // it is not of this boot
}

TEST_F(Deaths, AnOrderSaysFromWhenItsLeaseRuns) {
  cluster_.says("n1", heartbeat_at(4711));
  cluster_.expect_sent<Renewal>("n1");
  const JobId job = cluster_.submit(a_job().only_on("n1").lease(20));
  cluster_.expect_event<Assigned>(job);
  EXPECT_EQ(cluster_.expect_sent<LaunchOrder>("n1").lease_base_ms, 4711);
}

// 20 s of lease, 2 s of grace, 5 s for good measure.
TEST_F(Deaths, ALeaseThatHasRunOutIsProof) {
  const JobId job = cluster_.running(a_job().only_on("n1").lease(20));
  silence(27);
  cluster_.expect_nothing_else();
  silence(2);
  const Requeued requeued = cluster_.expect_event<Requeued>(job);
  EXPECT_TRUE(requeued.had_started);
  EXPECT_EQ(requeued.avoid_node, "n1");
  EXPECT_NE(requeued.reason.find("lease"), std::string::npos) << requeued.reason;
}

// Its shepherd has the grace that the order named.
TEST_F(Deaths, AReloadDoesNotShortenTheGraceOfWhatRuns) {
  const JobId job = cluster_.running(a_job().only_on("n1").lease(20));
  auto config = std::make_shared<ClusterConfig>(cluster_.controller().config());
  config->kill_grace_s = 0;
  cluster_.ask(ReloadRequest{config}, 0, Role::Admin);
  cluster_.forget();
  silence(27);
  cluster_.expect_nothing_else();
  silence(2);
  cluster_.expect_event<Requeued>(job);
}

TEST_F(Deaths, ALeaseEndsAJobThatMayNotStartTwice) {
  const JobId job = cluster_.running(a_job().only_on("n1").lease(20).no_requeue());
  silence(40);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).outcome, Outcome::NodeFailed);
}

// It cannot know what the last one had renewed before it died.
TEST_F(Deaths, ANewMasterCountsALeaseFromItsOwnBeginning) {
  const JobId job = cluster_.running(a_job().only_on("n1").lease(20));
  silence(20);
  cluster_.restart();
  cluster_.hello("n2");
  cluster_.forget();
  silence(26);
  cluster_.expect_nothing_else();
  silence(3);
  cluster_.expect_event<Requeued>(job);
}

TEST_F(Deaths, TheNodesOwnWordIsBetterThanAProof) {
  const JobId job = cluster_.submit(a_job().nodes(2).tasks(2).lease(20));
  cluster_.part("n2", job, LaunchState::Running);
  cluster_.part("n1", job, LaunchState::Running);
  silence(30);  // n1, with the script, counts as dead; n2 is told to stop, and does not answer
  cluster_.forget();
  cluster_.hello("n1", {cluster_.report_on(job, LaunchState::Exited)});
  EXPECT_EQ(cluster_.expect_event<ScriptEnded>(job).exit.exit_code, 0);
  cluster_.forget();
  cluster_.part("n2", job, LaunchState::Exited, StopReason::ScriptEnded);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).outcome, Outcome::Completed);
  cluster_.forget();
}

TEST_F(Deaths, OnlyAnOperatorConfirmsThemAndOnlyOfSilentNodes) {
  cluster_.ask(ConfirmDeadRequest{"n1"});
  cluster_.expect_reply(ErrorCode::Denied);
  cluster_.ask_as_operator(ConfirmDeadRequest{"n7"});
  cluster_.expect_reply(ErrorCode::NotFound);
  cluster_.ask_as_operator(ConfirmDeadRequest{"n1"});
  EXPECT_NE(cluster_.expect_reply(ErrorCode::Conflict).find("responds"), std::string::npos);
}

TEST_F(Deaths, AConfirmedDeathIsProofAndOutlivesTheMaster) {
  const JobId wide = cluster_.submit(a_job().nodes(2).tasks(2));
  cluster_.part("n2", wide, LaunchState::Running);
  cluster_.part("n1", wide, LaunchState::Running);
  silence(10);
  cluster_.forget();
  cluster_.ask_as_operator(ConfirmDeadRequest{"n1"});
  cluster_.expect_reply(ErrorCode::None);
  EXPECT_EQ(cluster_.expect_node_event<NodeDeclaredDead>("n1").proof, "confirmed by operator");
  EXPECT_EQ(cluster_.expect_sent<StopOrder>("n2").reason, StopReason::ScriptEnded);
  const LaunchReport stopped = [&] {
    LaunchReport report = cluster_.report_on(wide, LaunchState::Exited);
    report.exit.stopped = StopReason::ScriptEnded;
    return report;
  }();
  cluster_.restart();
  cluster_.advance(1);
  cluster_.forget();
  cluster_.hello("n2", {stopped});
  EXPECT_TRUE(cluster_.expect_event<Requeued>(wide).had_started);
  cluster_.forget();
}

// Somebody was wrong: the node was only cut off.
TEST_F(Deaths, ANodeThatComesBackEndsWhatWasGivenUpBeforeItGetsAnythingNew) {
  const JobId job = cluster_.running(a_job().only_on("n1"));
  const LaunchReport alive = cluster_.report_on(job, LaunchState::Running);
  silence(10);
  cluster_.ask_as_operator(ConfirmDeadRequest{"n1"});
  cluster_.forget();
  cluster_.hello("n1", {alive});
  EXPECT_TRUE(cluster_.expect_sent<Welcome>("n1").accepted);
  const StopOrder stop = cluster_.expect_sent<StopOrder>("n1");
  EXPECT_EQ(stop.key, alive.key);
  EXPECT_EQ(stop.grace_s, 0);
  const JobId next = cluster_.submit(a_job().only_on("n1"));
  cluster_.expect_nothing_else();
  cluster_.advance(1000);
  cluster_.expect_sent<StopOrder>("n1");  // the first one may have been lost
  LaunchReport gone = alive;
  gone.state = LaunchState::Exited;
  cluster_.reports("n1", gone);
  cluster_.expect_event<Assigned>(job);  // it may use the node again, and is first
  cluster_.expect_event<Assigned>(next);
  cluster_.forget();
}

// And nobody at its worker has noticed: it reports what changes, and nothing has.
TEST_F(Deaths, ANodeThatIsHeardAgainIsAskedWhatItRunsBeforeItGetsAnything) {
  const JobId job = cluster_.running(a_job().only_on("n1"));
  const LaunchReport alive = cluster_.report_on(job, LaunchState::Running);
  silence(10);
  cluster_.ask_as_operator(ConfirmDeadRequest{"n1"});
  cluster_.forget();
  cluster_.says("n1", heartbeat_at(4711));
  cluster_.expect_sent<SayHello>("n1");
  EXPECT_FALSE(cluster_.node("n1").responding);
  cluster_.expect_nothing_else();
  cluster_.hello("n1", {alive});
  cluster_.expect_sent<Welcome>("n1");
  EXPECT_EQ(cluster_.expect_sent<StopOrder>("n1").key, alive.key);
  cluster_.expect_nothing_else();
}

TEST_F(Deaths, OfTheScriptsNodeLeaveNobodyToSignal) {
  const JobId job = cluster_.submit(a_job().nodes(2).tasks(2));
  cluster_.part("n2", job, LaunchState::Running);
  cluster_.part("n1", job, LaunchState::Running);
  silence(10);
  cluster_.ask_as_operator(ConfirmDeadRequest{"n1"});
  cluster_.expect_reply(ErrorCode::None);
  cluster_.forget();
  ASSERT_EQ(cluster_.job(job).phase, JobPhase::Running) << "its other part is still being stopped";
  cluster_.ask(SignalRequest{job, 10});
  cluster_.expect_reply(ErrorCode::Conflict);
  cluster_.expect_nothing_else();
}

// A lease that has run out is a proof of the same kind.
TEST_F(Deaths, AfterALeaseTheNodeIsAskedAsWell) {
  cluster_.running(a_job().only_on("n1").lease(20));
  silence(40);
  cluster_.forget();
  cluster_.says("n1", heartbeat_at(4711));
  cluster_.expect_sent<SayHello>("n1");
  cluster_.expect_nothing_else();
}

class Fences : public Deaths {
 protected:
  static ClusterConfig fenced() {
    ClusterConfig config = impatient();
    config.fence_command = {"/sbin/fence"};
    config.fence_after_s = 30;
    return config;
  }
  Fences() : Deaths(fenced()) {}
};

TEST_F(Fences, AreAskedForWhenASilentNodeHoldsJobs) {
  silence(100);
  EXPECT_TRUE(cluster_.take_fences().empty());  // it holds none
  cluster_.hello("n1");
  cluster_.forget();
  const JobId job = cluster_.running(a_job().only_on("n1"));
  silence(29);
  EXPECT_TRUE(cluster_.take_fences().empty());
  silence(2);
  EXPECT_EQ(cluster_.take_fences(), std::vector<std::string>{"n1"});
  silence(100);
  EXPECT_TRUE(cluster_.take_fences().empty());  // one at a time
  cluster_.fence_result("n1", true);
  EXPECT_EQ(cluster_.expect_node_event<NodeDeclaredDead>("n1").proof, "fenced (/sbin/fence)");
  cluster_.expect_event<Requeued>(job);
}

TEST_F(Fences, AreTriedAgainAfterAWhileWhenTheyFail) {
  const JobId job = cluster_.running(a_job().only_on("n1"));
  silence(31);
  EXPECT_EQ(cluster_.take_fences().size(), 1u);
  cluster_.fence_result("n1", false);
  cluster_.expect_nothing_else();
  const std::string fate = cluster_.controller().fate(cluster_.job(job), cluster_.now());
  EXPECT_NE(fate.find("fence_command failed"), std::string::npos) << fate;
  silence(59);
  EXPECT_TRUE(cluster_.take_fences().empty());
  silence(3);
  EXPECT_EQ(cluster_.take_fences().size(), 1u);
}

// It was off and is back before the command has said so.
TEST_F(Fences, SayNothingAboutWhatWasOrderedAfterTheyBegan) {
  const JobId old = cluster_.running(a_job().only_on("n1"));
  silence(31);
  EXPECT_EQ(cluster_.take_fences().size(), 1u);
  cluster_.hello("n1", {}, "boot-2");
  LaunchReport absent = cluster_.report_on(old, LaunchState::Absent);
  cluster_.reports("n1", absent);
  cluster_.forget();
  const JobId fresh = cluster_.submit(a_job().only_on("n1"));
  cluster_.expect_nothing_else();  // not while its power may still be cut
  cluster_.fence_result("n1", true);
  cluster_.expect_node_event<NodeDeclaredDead>("n1");
  cluster_.expect_nothing_else();  // whoever was declared dead has to say again what it runs
  cluster_.hello("n1", {}, "boot-2");
  EXPECT_TRUE(cluster_.expect_sent<Welcome>("n1").accepted);
  cluster_.expect_event<Assigned>(old);
  cluster_.expect_event<Assigned>(fresh);
  cluster_.forget();
  EXPECT_FALSE(cluster_.controller().fate_unknown(cluster_.job(fresh)));
}

}  // namespace
}  // namespace hyades
