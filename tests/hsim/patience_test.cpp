// Who waits for faster nodes, for how long, and who is not kept from what is free.
#include <gtest/gtest.h>

#include "placement_fixture.hpp"

namespace hyades {
namespace {

// n1 computes four times as fast as n2. A job asks for what it takes on n2: 600 s, 150 s on n1.
class PatienceTest : public PlacementFixture {
 protected:
  void SetUp() override {
    add_node("n1", "", {{"gemm_gflops", 40}});
    add_node("n2", "", {{"gemm_gflops", 10}});
    config_.work_classes.push_back({.name = "mine", .compute = 1});
  }
  // On n1, which it has held for a second.
  void run_for(int limit_s, const Plan& plan = {{0, 4}}) {
    JobSpec its = spec("mine", 4);
    its.time_limit_s = limit_s;
    run(its, plan);
  }
  bool waits(const Decision& decision, JobId job) const {
    return std::count(decision.patient.begin(), decision.patient.end(), job) > 0;
  }
};

TEST_F(PatienceTest, WaitsWhereItEndsEarlierThatWay) {
  run_for(400);  // 100 s on n1, 99 of them left
  const JobId job = submit(spec("mine", 4));
  const Decision decision = decide();
  EXPECT_TRUE(decision.starts.empty());
  EXPECT_TRUE(waits(decision, job));
  ASSERT_EQ(decision.reservations.size(), 1u);
  EXPECT_EQ(decision.reservations[0].plan, (Plan{{0, 4}}));
}

TEST_F(PatienceTest, TakesWhatThereIsWhereTheWaitIsLonger) {
  run_for(2000);  // 500 s on n1, and 150 then, are more than 600
  const JobId job = submit(spec("mine", 4));
  const Decision decision = decide();
  EXPECT_EQ(nodes_of(decision, job), "n2");
  EXPECT_EQ(decision.starts[0].why, StartReason::Immediate);
  EXPECT_TRUE(decision.patient.empty());
}

TEST_F(PatienceTest, WhoStandsBeforeItCounts) {
  run_for(400);
  const JobId first = submit(spec("mine", 4)), second = submit(spec("mine", 4)),
              third = submit(spec("mine", 4)), fourth = submit(spec("mine", 4));
  const Decision decision = decide();
  // They would end on n1 after 249, 399, 549 and 699 s; on n2 after 600.
  EXPECT_TRUE(waits(decision, first));
  EXPECT_TRUE(waits(decision, second));
  EXPECT_TRUE(waits(decision, third));
  EXPECT_EQ(nodes_of(decision, fourth), "n2");
}

TEST_F(PatienceTest, WhatItLeavesOthersMayTake) {
  run_for(400);
  submit(spec("mine", 4));
  const JobId other = submit(spec("none", 4));
  EXPECT_EQ(nodes_of(decide(), other), "n2");
}

TEST_F(PatienceTest, NobodyWaitsLongerThanItCouldGain) {
  run_for(400);
  const JobId job = submit(spec("mine", 4));
  EXPECT_TRUE(waits(decide(), job));
  EXPECT_FALSE(policy_.wakes(kNow + 449'999));
  // The one on n1 goes on and on; 450 s are what n1 would have saved.
  EXPECT_TRUE(waits(decide(kNow + 60'000), job));
  EXPECT_TRUE(policy_.wakes(kNow + 450'000));
  EXPECT_FALSE(policy_.wakes(kNow + 450'000));  // said once
  const Decision decision = decide(kNow + 450'000);
  EXPECT_EQ(nodes_of(decision, job), "n2");
  EXPECT_EQ(decision.starts[0].why, StartReason::FasterNodes);  // why it is so late
}

TEST_F(PatienceTest, ThatItWaitedIsKnownWhenOthersTookWhatItLeft) {
  run_for(400);
  const JobId job = submit(spec("mine", 4));
  EXPECT_TRUE(waits(decide(), job));
  run_for(600, {{1, 4}});
  Decision decision = decide();
  EXPECT_FALSE(waits(decision, job));  // there is no room for it
  EXPECT_TRUE(decision.starts.empty());
  const Job& first = jobs_.front();
  cluster_.give_back(first.placement);
  running_.erase({first.expected_end_ms(), first.id});
  decision = decide();
  EXPECT_EQ(nodes_of(decision, job), "n1");
  EXPECT_EQ(decision.starts[0].why, StartReason::FasterNodes);
}

TEST_F(PatienceTest, AJobThatRunsOnIsExpectedToRunAsLongAgain) {
  run_for(40'000);  // 10,000 s on n1
  JobSpec its = spec("mine", 4);
  its.time_limit_s = 36'000;  // 9,000 s on n1
  const JobId job = submit(its);
  EXPECT_TRUE(waits(decide(), job));
  const Decision later = decide(kNow + 12'000'000);  // it has run for 12,001 s
  EXPECT_TRUE(waits(later, job));
  EXPECT_EQ(nodes_of(decide(kNow + 27'000'000), job), "n2");  // as long as it could gain
}

TEST_F(PatienceTest, TheFastestWithRoomWillDo) {
  add_node("n3", "", {{"gemm_gflops", 39.9}});  // as good as n1
  run_for(400);
  const JobId job = submit(spec("mine", 4));
  EXPECT_EQ(nodes_of(decide(), job), "n3");
}

TEST_F(PatienceTest, PhaseTwoKnowsWhereItWouldHaveBeen) {
  add_node("n0", "", {{"gemm_gflops", 10}});  // before n1, where a pass looks first
  const JobId job = submit(spec("mine", 4));
  const Decision decision = decide();
  EXPECT_EQ(nodes_of(decision, job), "n1");
  EXPECT_EQ(decision.starts[0].place_why.first_fit, "n0");
  EXPECT_DOUBLE_EQ(decision.starts[0].place_why.first_fit_cost.run_s, 600);
}

TEST_F(PatienceTest, NodesThatCouldNeverHoldItAreNotWaitedFor) {
  run_for(4, {{0, 1}});
  const JobId job = submit(spec("mine", 8, 2));
  run_for(4, {{1, 1}});
  Decision decision = decide();
  EXPECT_TRUE(decision.starts.empty());
  EXPECT_FALSE(waits(decision, job));  // there is no room anywhere
  add_node("n3", "", {{"gemm_gflops", 5}}, 8);
  const JobId wide = submit(spec("mine", 8, 1));
  decision = decide();
  EXPECT_EQ(nodes_of(decision, wide), "n3");
}

TEST_F(PatienceTest, NodesThatItMustNotHaveAreNotWaitedFor) {
  add_node("n3", "", {{"gemm_gflops", 20}});  // idle, and twice as fast as n2
  run_for(40'000);
  JobSpec its = spec("mine", 4);
  its.exclude = {"n3"};
  const JobId job = submit(its);
  EXPECT_EQ(nodes_of(decide(), job), "n2");
}

TEST_F(PatienceTest, TheNodeThatFailedItIsNotWaitedForNorTaken) {
  const JobId job = submit(spec("mine", 4));
  jobs_.back().avoid_node = "n1";
  EXPECT_EQ(nodes_of(decide(), job), "n2");
  run_for(400);
  EXPECT_EQ(nodes_of(decide(), job), "n2");
}

// Of four fast nodes two are idle: a job of two nodes has room, one of three waits for a third.
TEST_F(PatienceTest, AJobOfSeveralNodesWaitsForAllOfThem) {
  for (const char* const name : {"n3", "n4", "n5"}) add_node(name, "", {{"gemm_gflops", 40}});
  for (const char* const name : {"n6", "n7"}) add_node(name, "", {{"gemm_gflops", 10}});
  run_for(2000, {{0, 4}});
  run_for(2000, {{2, 4}});
  const JobId three = submit(spec("mine", 12, 3));
  const Decision decision =
      decide();  // in the mean a fast node is free after 250 s, the third after 500
  EXPECT_FALSE(waits(decision, three));
  EXPECT_FALSE(nodes_of(decision, three).empty());
}

// More cores than are free: that is seen at once, and it stands there all the same.
TEST_F(PatienceTest, WhoHasNoRoomStandsBeforeOthers) {
  for (const char* const name : {"n3", "n4"}) add_node(name, "", {{"gemm_gflops", 10}});
  add_node("n5", "", {{"gemm_gflops", 7.5}}, 3);
  run_for(400);
  JobSpec wide = spec("mine", 16, 4);
  wide.time_limit_s = 4000;  // 1000 s on n1
  wide.node_list = {"n1", "n2", "n3", "n4"};
  submit(wide);
  JobSpec its = spec("mine", 3);
  its.node_list = {"n1", "n5"};
  const JobId job = submit(its);
  EXPECT_EQ(nodes_of(decide(), job), "n5");
}

TEST_F(PatienceTest, CanBeSwitchedOff) {
  run_for(400);
  const JobId job = submit(spec("mine", 4));
  config_.placement.patient = false;
  EXPECT_EQ(nodes_of(decide(), job), "n2");
  config_.placement.patient = true;
  config_.queues = {{"batch"}};
  config_.queues[0].placement = false;
  EXPECT_EQ(nodes_of(decide(), job), "n2");
  config_.queues[0].placement = true;
  EXPECT_TRUE(waits(decide(), job));
}

TEST_F(PatienceTest, SaysWhatItWaitsFor) {
  run_for(400);
  const JobId job = submit(spec("mine", 4));
  decide();
  const std::vector<QueueView> views = {
      {&config_.queues.front(), &waiting_, std::vector<char>(2, 1), kNow, {}}};
  const auto why = policy_.explain(views, {&cluster_, &running_, &cluster_.free()},
                                   *waiting_.blocks().front().items.front().job, kNow);
  ASSERT_TRUE(why);
  EXPECT_EQ(waiting_.blocks().front().items.front().id, job);
  EXPECT_EQ(why->faster_nodes, "n1");
  EXPECT_EQ(why->faster_end_ms, kNow + 99'000 + 150'000);
  EXPECT_EQ(why->now_end_ms, kNow + 600'000);
  EXPECT_EQ(why->patient_until_ms, kNow + 450'000);
}

}  // namespace
}  // namespace hyades
