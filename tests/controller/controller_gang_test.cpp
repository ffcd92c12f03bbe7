// Jobs on several nodes: their parts start together, and none is left when they end.
#include <gtest/gtest.h>

#include "test_cluster.hpp"

namespace hyades {
namespace {

class Gangs : public testing::Test {
 protected:
  Gangs() { cluster_.nodes(3, 4); }

  // On n1 (the script), n2 and n3, up to the state in which all run.
  JobId running(const JobSpec& spec) {
    const JobId job = cluster_.submit(spec);
    for (const char* node : {"n2", "n3", "n1"}) cluster_.part(node, job, LaunchState::Running);
    EXPECT_EQ(cluster_.job(job).phase, JobPhase::Running);
    cluster_.forget();
    return job;
  }
  void loses(const std::string& node, JobId job) {
    LaunchReport lost = cluster_.report_on(job, LaunchState::Lost);
    lost.reason = "its shepherd was killed";
    cluster_.reports(node, lost);
  }
  void expect_stop(const std::string& node, StopReason reason) {
    EXPECT_EQ(cluster_.expect_sent<StopOrder>(node).reason, reason);
  }
  void expect_retired(std::initializer_list<const char*> nodes) {
    for (const char* node : nodes) cluster_.expect_sent<RetireOrder>(node);
  }

  TestCluster cluster_;
  const a_job wide_ = a_job().nodes(3).tasks(3);
};

TEST_F(Gangs, CompanionsAreStartedFirstAndTheScriptWhenAllRun) {
  const JobId job = cluster_.submit(wide_);
  cluster_.expect_event<Assigned>(job);
  EXPECT_TRUE(cluster_.expect_sent<LaunchOrder>("n2").is_companion());
  EXPECT_TRUE(cluster_.expect_sent<LaunchOrder>("n3").is_companion());
  cluster_.part("n2", job, LaunchState::Running);
  cluster_.part("n3", job, LaunchState::Starting);
  cluster_.expect_nothing_else();
  cluster_.part("n3", job, LaunchState::Running);
  const LaunchOrder order = cluster_.expect_sent<LaunchOrder>("n1");
  EXPECT_FALSE(order.is_companion());
  const std::vector<StepPeer> peers = {{"n1", 0}, {"n2", 5002}, {"n3", 5003}};
  EXPECT_EQ(order.peers, peers);
  cluster_.part("n1", job, LaunchState::Running);
  cluster_.expect_event<Started>(job);
}

// Of an order the rest is filled in at the end of the turn.
TEST_F(Gangs, AnOrderForTheScriptIsVoidWhenACompanionIsLostInTheSameTurn) {
  const JobId job = cluster_.submit(wide_);
  cluster_.forget();
  cluster_.part("n2", job, LaunchState::Running);
  cluster_.part("n3", job, LaunchState::Running);
  LaunchOrder order = cluster_.expect_sent<LaunchOrder>("n1");
  EXPECT_TRUE(cluster_.controller().complete(order));
  loses("n3", job);
  EXPECT_FALSE(cluster_.controller().complete(order));
  cluster_.forget();
}

TEST_F(Gangs, AnOldWordOfACompanionIsPassedOver) {
  const JobId job = cluster_.submit(wide_);
  cluster_.forget();
  LaunchReport runs = cluster_.report_on(job, LaunchState::Running);
  runs.step_port = 5002;
  runs.sent_ms = 2000;
  cluster_.reports("n2", runs);
  LaunchReport starts = cluster_.report_on(job, LaunchState::Starting);
  starts.sent_ms = 1000;
  cluster_.reports("n2", starts);
  cluster_.part("n3", job, LaunchState::Running);
  EXPECT_EQ(cluster_.expect_sent<LaunchOrder>("n1").peers.at(1).port, 5002);
}

TEST_F(Gangs, AnOldWordDoesNotHideHowACompanionEnded) {
  const JobId job = running(wide_);
  cluster_.part("n1", job, LaunchState::Exited, StopReason::None, 3);
  cluster_.forget();
  LaunchReport stopped = cluster_.report_on(job, LaunchState::Exited);
  stopped.exit.stopped = StopReason::ScriptEnded;
  stopped.sent_ms = 2000;
  cluster_.reports("n2", stopped);
  LaunchReport late = cluster_.report_on(job, LaunchState::Running);
  late.sent_ms = 1000;
  cluster_.reports("n2", late);
  cluster_.reports("n3", stopped);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).outcome, Outcome::Failed);  // not lost, not requeued
  expect_retired({"n1", "n2", "n3"});
}

TEST_F(Gangs, WhatACompanionDoesNotAnswerIsRepeatedUntilItRuns) {
  const JobId job = cluster_.submit(wide_);
  cluster_.forget();
  cluster_.part("n2", job, LaunchState::Starting);  // its next word may be lost
  cluster_.part("n3", job, LaunchState::Running);
  cluster_.expect_nothing_else();
  cluster_.advance(1000);
  cluster_.expect_sent<LaunchOrder>("n2");
}

TEST_F(Gangs, ARefusalPutsTombstonesOnAll) {
  const JobId job = cluster_.submit(wide_);
  cluster_.part("n3", job, LaunchState::Running);
  cluster_.forget();
  LaunchReport refusal = cluster_.report_on(job, LaunchState::NeverStarted);
  refusal.reason = "no processes left";
  refusal.node_fault = true;
  cluster_.reports("n2", refusal);
  expect_stop("n1", StopReason::NodeFailure);
  expect_stop("n3", StopReason::NodeFailure);
  cluster_.part("n1", job, LaunchState::Absent);
  expect_stop("n3", StopReason::ScriptEnded);
  cluster_.expect_nothing_else();  // n3 may still run
  cluster_.part("n3", job, LaunchState::Exited, StopReason::NodeFailure);
  const Requeued requeued = cluster_.expect_event<Requeued>(job);
  EXPECT_FALSE(requeued.had_started);
  EXPECT_EQ(requeued.avoid_node, "n2");
  EXPECT_EQ(requeued.reason, "no processes left");
  expect_retired({"n2", "n3"});
}

TEST_F(Gangs, TheResultIsSafeBeforeTheOtherNodesAreClean) {
  const JobId job = running(wide_);
  cluster_.part("n1", job, LaunchState::Exited, StopReason::None, 3);
  EXPECT_EQ(cluster_.expect_event<ScriptEnded>(job).exit.exit_code, 3);
  for (const char* node : {"n2", "n3"}) {
    const StopOrder stop = cluster_.expect_sent<StopOrder>(node);
    EXPECT_EQ(stop.reason, StopReason::ScriptEnded);
    EXPECT_EQ(stop.grace_s, 0);
  }
  EXPECT_TRUE(cluster_.controller().completing(cluster_.job(job)));
  EXPECT_EQ(cluster_.node("n3").free_cores.size(), 3);  // nobody else's yet
  cluster_.part("n2", job, LaunchState::Exited, StopReason::ScriptEnded);
  cluster_.expect_nothing_else();
  cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
  const Ended ended = cluster_.expect_event<Ended>(job);
  EXPECT_EQ(ended.outcome, Outcome::Failed);
  EXPECT_EQ(ended.exit_code, 3);
  expect_retired({"n1", "n2", "n3"});
}

TEST_F(Gangs, ANewMasterFinishesWhatTheOldOneBegan) {
  const JobId job = running(wide_);
  cluster_.part("n1", job, LaunchState::Exited, StopReason::None, 3);
  const LaunchReport alive = cluster_.report_on(job, LaunchState::Running);
  cluster_.forget();
  cluster_.restart();
  cluster_.hello("n2", {alive});
  cluster_.hello("n3", {alive});
  cluster_.forget();
  // The node of the script has burned down; the result has not.
  cluster_.ask_as_operator(ConfirmDeadRequest{"n1"});
  cluster_.expect_reply(ErrorCode::None);
  cluster_.expect_node_event<NodeDeclaredDead>("n1");
  cluster_.forget();
  cluster_.part("n2", job, LaunchState::Exited, StopReason::ScriptEnded);
  cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).exit_code, 3);
  expect_retired({"n2", "n3"});
}

TEST_F(Gangs, ALostCompanionEndsTheRestAndTheJobStartsElsewhere) {
  const JobId job = running(wide_);
  loses("n2", job);
  expect_stop("n1", StopReason::NodeFailure);
  cluster_.part("n1", job, LaunchState::Exited, StopReason::NodeFailure, 1);
  cluster_.expect_event<ScriptEnded>(job);
  expect_stop("n3", StopReason::ScriptEnded);
  cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
  const Requeued requeued = cluster_.expect_event<Requeued>(job);
  EXPECT_TRUE(requeued.had_started);
  EXPECT_EQ(requeued.avoid_node, "n2");
  EXPECT_EQ(requeued.reason, "n2: its shepherd was killed");
  expect_retired({"n1", "n2", "n3"});
  cluster_.forget();
}

TEST_F(Gangs, ALostCompanionEndsAJobThatMayNotStartTwice) {
  const JobId job = running(a_job().nodes(3).tasks(3).no_requeue());
  cluster_.part("n2", job, LaunchState::Lost);
  cluster_.part("n1", job, LaunchState::Exited, StopReason::NodeFailure, 1);
  cluster_.forget();
  cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).outcome, Outcome::NodeFailed);
  cluster_.forget();
}

// hrun notices that a node is gone, too, and may be faster than the node's word.
TEST_F(Gangs, AScriptThatFailsBeforeTheWordOfALossStartsElsewhere) {
  const JobId job = running(wide_);
  cluster_.part("n1", job, LaunchState::Exited, StopReason::None, 1);
  cluster_.expect_event<ScriptEnded>(job);
  loses("n2", job);
  cluster_.forget();
  cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
  const Requeued requeued = cluster_.expect_event<Requeued>(job);
  EXPECT_TRUE(requeued.had_started);
  EXPECT_EQ(requeued.avoid_node, "n2");
  EXPECT_EQ(requeued.reason, "n2: its shepherd was killed");
  expect_retired({"n1", "n2", "n3"});
  cluster_.forget();
}

// What it did is done, or must not be done twice; then at least the node is named.
TEST_F(Gangs, AScriptThatDidWellOrMayNotStartTwiceKeepsItsResultDespiteALoss) {
  for (const int exit_code : {1, 0}) {
    const JobId job =
        running(exit_code == 0 ? JobSpec(wide_) : JobSpec(a_job().nodes(3).tasks(3).no_requeue()));
    cluster_.part("n1", job, LaunchState::Exited, StopReason::None, exit_code);
    loses("n2", job);
    cluster_.forget();
    cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
    const Ended ended = cluster_.expect_event<Ended>(job);
    EXPECT_EQ(ended.exit_code, exit_code);
    EXPECT_EQ(ended.outcome, exit_code == 0 ? Outcome::Completed : Outcome::Failed);
    EXPECT_EQ(ended.reason, exit_code == 0 ? "" : "n2: its shepherd was killed");
    cluster_.forget();
  }
}

// The daemon for its tasks was killed, by the job itself for all we know: its matter.
TEST_F(Gangs, ACompanionThatEndsByItselfEndsNothingElse) {
  const JobId job = running(wide_);
  cluster_.part("n2", job, LaunchState::Exited);
  cluster_.expect_nothing_else();
  cluster_.part("n1", job, LaunchState::Exited);
  cluster_.forget();
  cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).outcome, Outcome::Completed);
  cluster_.forget();
}

TEST_F(Gangs, ACancelStopsTheScriptFirst) {
  const JobId job = running(wide_);
  cluster_.ask(CancelRequest{job});
  cluster_.expect_event<CancelRequested>(job);
  cluster_.expect_reply(ErrorCode::None);
  expect_stop("n1", StopReason::Cancelled);
  cluster_.expect_sent<QueryOrder>("n2");
  cluster_.expect_sent<QueryOrder>("n3");
  cluster_.part("n1", job, LaunchState::Exited, StopReason::Cancelled, 143);
  cluster_.expect_event<ScriptEnded>(job);
  expect_stop("n2", StopReason::ScriptEnded);
  expect_stop("n3", StopReason::ScriptEnded);
  cluster_.part("n2", job, LaunchState::Exited, StopReason::ScriptEnded);
  cluster_.part("n3", job, LaunchState::Exited, StopReason::ScriptEnded);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).outcome, Outcome::Cancelled);
  cluster_.forget();
}

TEST_F(Gangs, ACancelBeforeTheScriptStartsStopsAll) {
  const JobId job = cluster_.submit(wide_);
  cluster_.part("n2", job, LaunchState::Running);
  cluster_.forget();
  cluster_.ask(CancelRequest{job});
  cluster_.expect_event<CancelRequested>(job);
  cluster_.expect_reply(ErrorCode::None);
  for (const char* node : {"n1", "n2", "n3"}) expect_stop(node, StopReason::Cancelled);
  cluster_.part("n1", job, LaunchState::Absent);
  for (const char* node : {"n2", "n3"}) expect_stop(node, StopReason::ScriptEnded);
  cluster_.part("n3", job, LaunchState::Absent);
  cluster_.part("n2", job, LaunchState::Exited, StopReason::Cancelled);
  EXPECT_EQ(cluster_.expect_event<Ended>(job).outcome, Outcome::Cancelled);
  expect_retired({"n2"});
}

}  // namespace
}  // namespace hyades
