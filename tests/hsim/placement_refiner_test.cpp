// Phase 2 on small clusters: where jobs go, and why; what it leaves alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/prng.hpp"
#include "placement_fixture.hpp"

namespace hyades {
namespace {

// Without the wait for faster nodes: patience_test.cpp.
class PlacementTest : public PlacementFixture {
 protected:
  PlacementTest() { config_.placement.patient = false; }
};

TEST_F(PlacementTest, EachGoesWhereItsClassIsFast) {
  add_node("n1", "", {{"gemm_gflops", 10}, {"stream_one_gbs", 20}});
  add_node("n2", "", {{"gemm_gflops", 40}, {"stream_one_gbs", 5}});
  const JobId streams = submit(spec("memory", 4)), computes = submit(spec("compute", 4));
  const Decision decision = decide();
  EXPECT_EQ(nodes_of(decision, computes), "n2");
  EXPECT_EQ(nodes_of(decision, streams), "n1");
}

TEST_F(PlacementTest, SaysWhy) {
  add_node("n1", "", {{"gemm_gflops", 10}});
  add_node("n2", "", {{"gemm_gflops", 40}});
  config_.work_classes.push_back({.name = "mine", .compute = 1});
  submit(spec("mine"));
  const Decision decision = decide();
  ASSERT_EQ(decision.starts.size(), 1u);
  const PlacementWhy& why = decision.starts[0].place_why;
  EXPECT_EQ(why.work_class, "mine");
  EXPECT_EQ(why.places, 2);
  EXPECT_DOUBLE_EQ(why.cost.run_s, 150);  // it asked for what it takes on the slowest
  EXPECT_EQ(why.first_fit, "n1");
  EXPECT_DOUBLE_EQ(why.first_fit_cost.run_s, 600);
  EXPECT_EQ(why.runner_up, "n1");
  EXPECT_DOUBLE_EQ(why.runner_up_cost.total(), 600);
}

// It came first and is on the node that the other one needs.
TEST_F(PlacementTest, WhoDoesNotCareMakesWay) {
  add_node("n1", "", {{"gemm_gflops", 40}, {"idle", 1}});
  add_node("n2", "", {{"gemm_gflops", 10}, {"idle", 1}});
  config_.work_classes.push_back({.name = "idle"});
  const JobId idle = submit(spec("idle", 4)), computes = submit(spec("compute", 4));
  const Decision decision = decide();
  EXPECT_EQ(nodes_of(decision, computes), "n1");
  EXPECT_EQ(nodes_of(decision, idle), "n2");
}

// Each asked for what it takes on the slowest node: one gains 9 minutes on n1, the other one 2.5.
TEST_F(PlacementTest, TheTimeAskedForIsThatOnTheSlowestNode) {
  add_node("n1", "", {{"steep", 10}, {"flat", 2}});
  add_node("n2", "", {{"steep", 1}, {"flat", 1}});
  for (const char* const name : {"steep", "flat"}) config_.work_classes.push_back({.name = name});
  JobSpec long_one = spec("flat", 4);
  long_one.time_limit_s = 900;
  const JobId flat = submit(long_one), steep = submit(spec("steep", 4));
  const Decision decision = decide();
  EXPECT_EQ(nodes_of(decision, steep), "n1");
  EXPECT_EQ(nodes_of(decision, flat), "n2");
}

TEST_F(PlacementTest, MemoryBoundJobsAreKeptApart) {
  for (const char* const name : {"n1", "n2"}) {
    add_node(name, "", {{"stream_gbs", 20}, {"stream_one_gbs", 10}});
  }
  const JobId first = submit(spec("memory", 2)), second = submit(spec("memory", 2));
  const Decision decision = decide();
  EXPECT_NE(nodes_of(decision, first), nodes_of(decision, second));
}

TEST_F(PlacementTest, WhatRunsAlreadyIsKeptAwayFrom) {
  for (const char* const name : {"n1", "n2"}) {
    add_node(name, "", {{"stream_gbs", 20}, {"stream_one_gbs", 10}});
  }
  // Of a class that no job has that starts; and one that would not be in the way of its like.
  run(spec("memory", 2), {{0, 2}});
  const JobId job = submit(spec("mixed", 2));
  EXPECT_EQ(nodes_of(decide(), job), "n2");
}

TEST_F(PlacementTest, ComputingGoesBesideStreaming) {
  add_node("n1", "", {{"stream_gbs", 20}, {"stream_one_gbs", 10}});
  add_node("n2", "", {{"stream_gbs", 20}, {"stream_one_gbs", 10}});
  std::vector<JobId> streams, computes;
  for (int i = 0; i < 2; ++i) streams.push_back(submit(spec("memory", 2)));
  for (int i = 0; i < 2; ++i) computes.push_back(submit(spec("compute", 2)));
  const Decision decision = decide();
  ASSERT_EQ(decision.starts.size(), 4u);
  EXPECT_NE(nodes_of(decision, streams[0]), nodes_of(decision, streams[1]));
  EXPECT_NE(nodes_of(decision, computes[0]), nodes_of(decision, computes[1]));
}

TEST_F(PlacementTest, WhoTalksStaysInOneGroup) {
  add_node("n1", "a");
  add_node("n2", "b");
  add_node("n3", "b");
  const JobId talks = submit(spec("network", 2, 2));
  EXPECT_EQ(nodes_of(decide(), talks), "n2,n3");
}

TEST_F(PlacementTest, ATableCountsForMoreThanShares) {
  add_node("n1", "", {{"gemm_gflops", 40}, {"resnet50", 10}});
  add_node("n2", "", {{"gemm_gflops", 10}, {"resnet50", 30}});
  config_.work_classes.push_back({.name = "resnet50", .compute = 1});
  const JobId job = submit(spec("resnet50"));
  EXPECT_EQ(nodes_of(decide(), job), "n2");
}

TEST_F(PlacementTest, EnergyCountsWhereItHasAPrice) {
  add_node("n1", "", {{"gemm_gflops", 10}, {"idle_w", 100}, {"busy_w", 900}});
  add_node("n2", "", {{"gemm_gflops", 9}, {"idle_w", 100}, {"busy_w", 200}});
  const JobId job = submit(spec("compute", 4));
  EXPECT_EQ(nodes_of(decide(), job), "n1");
  config_.placement.energy_s_per_kj = 1;
  EXPECT_EQ(nodes_of(decide(), job), "n2");
}

TEST_F(PlacementTest, BalanceSpreads) {
  add_node("n1");
  add_node("n2");
  config_.placement.balance = 1;
  const JobId first = submit(spec("compute")), second = submit(spec("compute"));
  const Decision decision = decide();
  EXPECT_NE(nodes_of(decision, first), nodes_of(decision, second));
}

TEST_F(PlacementTest, SwitchedOffNothingMoves) {
  add_node("n1", "", {{"gemm_gflops", 10}});
  add_node("n2", "", {{"gemm_gflops", 40}});
  const JobId job = submit(spec("compute"));
  config_.placement.enabled = false;
  EXPECT_EQ(nodes_of(decide(), job), "n1");
  config_.placement.enabled = true;
  config_.queues = {{"batch"}};
  config_.queues[0].placement = false;
  EXPECT_EQ(nodes_of(decide(), job), "n1");
  config_.queues[0].placement = true;
  EXPECT_EQ(nodes_of(decide(), job), "n2");
  const JobId other = submit(spec("none"));
  EXPECT_EQ(nodes_of(decide(), other), "n1");
}

// Nothing is known that tells nodes apart: first fit, and nothing is said.
TEST_F(PlacementTest, NodesThatAreAlikeAreLeftAlone) {
  for (const char* const name : {"n1", "n2"}) add_node(name, "", {{"gemm_gflops", 10}});
  const JobId job = submit(spec("compute", 2));
  const Decision decision = decide();
  EXPECT_EQ(nodes_of(decision, job), "n1");
  EXPECT_EQ(decision.starts[0].place_why, PlacementWhy{});
}

// It would end after the job that is promised all of n2 is to start there.
TEST_F(PlacementTest, PromisedNodesAreNotTaken) {
  add_node("n1", "", {{"gemm_gflops", 10}});
  add_node("n2", "", {{"gemm_gflops", 40}});
  JobSpec short_one = spec("compute", 2);
  short_one.time_limit_s = 60;
  run(short_one, {{1, 2}});
  JobSpec large = spec("compute", 4, 1);
  large.node_list = {"n2"};
  submit(large);
  const JobId small = submit(spec("compute", 2));
  const Decision decision = decide();
  ASSERT_EQ(decision.reservations.size(), 1u);
  EXPECT_EQ(nodes_of(decision, small), "n1");
}

// An exclusive job takes what its node has: on the large one, what is kept for jobs to come.
TEST_F(PlacementTest, AnExclusiveJobLeavesTheReserve) {
  add_node("n1", "", {{"gemm_gflops", 10}});
  add_node("n2", "", {{"gemm_gflops", 640}}, 64);
  QueueConfig queue{"batch"};
  config_.queues = {queue};
  config_.queues[0].reserve_after_s = 1;
  JobSpec whole = spec("compute");
  whole.exclusive = true;
  const JobId job = submit(whole);
  EXPECT_EQ(nodes_of(decide(), job), "n1");
  // Of nodes that are as large there is a choice.
  add_node("n3", "", {{"gemm_gflops", 40}});
  EXPECT_EQ(nodes_of(decide(), job), "n3");
}

// Two that are equal but for measuring, and one that is not: 1 % is no reason to move.
TEST_F(PlacementTest, NoiseMovesNobody) {
  add_node("n1", "", {{"gemm_gflops", 40}});
  add_node("n2", "", {{"gemm_gflops", 40.4}});
  add_node("n3", "", {{"gemm_gflops", 10}});
  const JobId job = submit(spec("compute"));
  const Decision decision = decide();
  EXPECT_EQ(nodes_of(decision, job), "n1");
  EXPECT_EQ(decision.starts[0].place_why.first_fit, "");
}

// One that is not moved asks for memory, and none of those that are: that is not in their way.
TEST_F(PlacementTest, MemoryOfJobsThatStayIsNoneOfTheirs) {
  add_node("n1", "", {{"gemm_gflops", 10}});
  add_node("n2", "", {{"gemm_gflops", 40}});
  JobSpec stays = spec("none");
  stays.memory_per_node_mib = 1000;
  stays.node_list = {"n2"};
  submit(stays);
  const JobId job = submit(spec("compute"));
  EXPECT_EQ(nodes_of(decide(), job), "n2");
}

// A node of which nothing is known is neither the best nor the worst.
TEST_F(PlacementTest, WhatIsNotKnownIsInTheMiddle) {
  add_node("n1", "", {{"gemm_gflops", 10}});
  add_node("n2");
  add_node("n3", "", {{"gemm_gflops", 40}});
  std::vector<JobId> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(submit(spec("compute", 4)));
  const Decision decision = decide();
  std::map<std::string, double> run_s;
  for (const Start& start : decision.starts) {
    run_s[nodes_of(decision, start.job)] = start.place_why.cost.run_s;
  }
  EXPECT_LT(run_s["n3"], run_s["n2"]);
  EXPECT_LT(run_s["n2"], run_s["n1"]);
}

// Whatever is in the store: every start fits what is free, and nobody has less than it asked for.
TEST(PlacementProperty, NoFigureBreaksTheLedger) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::vector<double> odd = {nan, infinite, -infinite, -1, 0, 1e-300, 1e300, 1, 3, 40};
  bool patient = false;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng random(seed);
    Cluster cluster;
    ClusterConfig config;
    config.guard.enabled = false;
    config.placement.energy_s_per_kj = random.chance(500) ? 1 : 0;
    config.placement.balance = random.chance(500) ? 1 : 0;
    config.placement.patient = random.chance(500);
    for (int i = 0; i < 6; ++i) {
      const std::string name = "n" + std::to_string(i);
      Inventory inventory{.cores = static_cast<int>(random.between(1, 8)), .memory_mib = 1000};
      cluster.define(name, inventory);
      cluster.find(name)->responding = true;
      NodeProfile profile;
      for (const char* const figure : {"gemm_gflops", "stream_gbs", "stream_one_gbs", "chase_ns",
                                       "disk_mbs", "idle_w", "busy_w"}) {
        if (random.chance(700)) profile.figures[figure] = random.pick(odd);
      }
      if (random.chance(800)) cluster.set_profile(name, profile);
    }
    std::list<Job> jobs;
    WaitingList waiting;
    for (int i = 0; i < 12; ++i) {
      Job& job = jobs.emplace_back();
      job.id = static_cast<JobId>(jobs.size());
      job.spec.queue = "batch";
      job.spec.tasks = static_cast<int>(random.between(1, 6));
      job.spec.exclusive = random.chance(100);
      job.spec.memory_per_cpu_mib = random.chance(300) ? 200 : 0;
      job.spec.time_limit_s = 100;
      job.spec.work_class = random.pick(known_work_classes()).name;
      waiting.insert(waiting_job(job, static_cast<double>(job.id)));
    }
    BackfillPolicy policy;
    policy.configure(config);
    RunningList running;
    const std::vector<QueueView> views = {
        {&config.queues.front(), &waiting, std::vector<char>(6, 1), kNow, {}}};
    const ClusterView view{&cluster, &running, &cluster.free()};
    const Decision first_fit = policy.plan(views, view, kNow);
    const Decision decision = policy.decide(views, view, kNow);
    if (!config.placement.patient) {
      ASSERT_EQ(decision.starts.size(), first_fit.starts.size());
    }
    for (const JobId waits : decision.patient) {
      EXPECT_TRUE(std::none_of(decision.starts.begin(), decision.starts.end(),
                               [&](const Start& start) { return start.job == waits; }))
          << "seed " << seed;
      patient = true;
    }
    std::vector<Placement> taken;
    for (const Start& start : decision.starts) {
      const Job& job = *std::next(jobs.begin(), static_cast<std::ptrdiff_t>(start.job) - 1);
      ASSERT_TRUE(cluster.fits(job.spec, start.plan)) << "seed " << seed << ", job " << job.id;
      taken.push_back(cluster.choose(job.spec, start.plan));
      cluster.take(taken.back());
      EXPECT_TRUE(std::isfinite(start.place_why.cost.total())) << "seed " << seed;
      EXPECT_TRUE(std::isfinite(start.place_why.runner_up_cost.total())) << "seed " << seed;
    }
    std::vector<const Placement*> all;
    for (const Placement& placement : taken) all.push_back(&placement);
    cluster.check(all);
  }
  EXPECT_TRUE(patient) << "cases in which nobody waits show nothing";
}

}  // namespace
}  // namespace hyades
