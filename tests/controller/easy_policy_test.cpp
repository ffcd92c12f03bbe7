// EASY over concrete placements: who starts, where, and what the first blocked job is promised.
#include <gtest/gtest.h>

#include <list>

#include "policy/backfill_policy.hpp"
#include "policy/order.hpp"
#include "test_cluster.hpp"

namespace hyades {
namespace {

constexpr WallMs now_ms = 1'000'000;
constexpr WallMs second = 1000;

// A cluster, what runs on it, and queues of waiting jobs.
class EasyTest : public testing::Test {
 protected:
  Cluster cluster_;
  std::list<Job> jobs_;
  RunningList running_;
  struct Waiting {
    QueueConfig config;
    std::vector<char> usable;
    WaitingList jobs;
    std::vector<JobId> limited;
  };
  std::list<Waiting> queues_;
  JobId last_id_ = 0;

  void node(int cores, MiB memory_mib = 64'000, int gpus = 0) {
    Inventory inventory;
    inventory.cores = cores;
    inventory.memory_mib = memory_mib;
    if (gpus > 0) inventory.devices = {{"gpu", gpus}};
    const std::string name = "n" + std::to_string(cluster_.nodes().size() + 1);
    cluster_.define(name, inventory);
    cluster_.find(name)->responding = true;
  }
  // A job that runs on node `at` and ends at its limit, in so many seconds.
  JobId runs(NodeIndex at, const JobSpec& spec, int ends_in_s) {
    Job& job = new_job(spec);
    job.placement = cluster_.choose(job.spec, {{at, job.spec.tasks}});
    cluster_.take(job.placement);
    running_.insert({now_ms + ends_in_s * second, job.id, &job, nullptr, job.placement.cores(),
                     job.placement.shares[0].memory_mib});
    return job.id;
  }
  JobId waits(const JobSpec& spec) {
    Job& job = new_job(spec);
    const double rank = BackfillPolicy().rank(queue().config, job, 0);
    queue().jobs.insert(waiting_job(job, rank));
    return job.id;
  }
  Waiting& queue() {
    if (queues_.empty()) queues_.push_back({QueueConfig{"batch"}, all_nodes(), {}, {}});
    return queues_.back();
  }
  std::vector<char> all_nodes() const { return std::vector<char>(cluster_.nodes().size(), 1); }

  Decision decide(int depth = 0) {
    std::vector<QueueView> views;
    for (const Waiting& queue : queues_) {
      QueueView view;
      view.config = &queue.config;
      view.usable = queue.usable;
      view.waiting = &queue.jobs;
      if (!queue.limited.empty()) {
        view.within_limits = [&queue](const Job& job) {
          const auto& limited = queue.limited;
          return std::find(limited.begin(), limited.end(), job.id) == limited.end();
        };
      }
      views.push_back(std::move(view));
    }
    BackfillPolicy policy;
    ClusterConfig config;
    config.backfill_depth = depth;
    policy.configure(config);
    const ClusterView view{&cluster_, &running_, &cluster_.free()};
    const Decision decision = policy.decide(views, view, now_ms);
    const Decision again = policy.decide(views, view, now_ms);
    EXPECT_EQ(starts(decision), starts(again)) << "it keeps something";
    return decision;
  }
  // "3@n1 4@n1,n2 b": job 3 on n1, job 4 on n1 and n2 as a backfill.
  std::string starts(const Decision& decision) const {
    std::string text;
    for (const Start& start : decision.starts) {
      text += (text.empty() ? "" : " ") + std::to_string(start.job) + "@";
      for (std::size_t i = 0; i < start.plan.size(); ++i) {
        text += (i ? "," : "") + cluster_.nodes()[std::size_t(start.plan[i].node)].name;
      }
      if (start.why == StartReason::Backfill) text += " b";
    }
    return text;
  }
  void expect_reservation(const Decision& decision, JobId job, int in_s, const Plan& plan) {
    ASSERT_EQ(decision.reservations.size(), 1u);
    EXPECT_EQ(decision.reservations[0].job, job);
    EXPECT_EQ((decision.reservations[0].start_ms - now_ms) / second, in_s);
    EXPECT_EQ(decision.reservations[0].plan, plan);
  }

 private:
  Job& new_job(const JobSpec& spec) {
    jobs_.emplace_back();
    jobs_.back().id = ++last_id_;
    jobs_.back().spec = spec;
    return jobs_.back();
  }
};

TEST_F(EasyTest, StartsInOrderWhileTheyFit) {
  node(4);
  waits(a_job().cores(2));
  waits(a_job().cores(2));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "1@n1 2@n1");
  EXPECT_TRUE(decision.reservations.empty());
}

TEST_F(EasyTest, TheFirstThatDoesNotFitIsPromisedTheEarliestTimeAtWhichItDoes) {
  node(4);
  runs(0, a_job().cores(1), 300);
  runs(0, a_job().cores(2), 100);
  waits(a_job().cores(3));  // 1 free now, 3 free in 100 s
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "");
  expect_reservation(decision, 3, 100, {{0, 1}});
}

TEST_F(EasyTest, AShortJobIsBackfilledBeforeTheShadowTime) {
  node(4);
  runs(0, a_job().cores(3), 100);
  waits(a_job().cores(4));
  waits(a_job().limit(101));
  waits(a_job().limit(100));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "4@n1 b") << "up to the second, and not a second longer";
  expect_reservation(decision, 2, 100, {{0, 1}});
}

TEST_F(EasyTest, ALongJobIsBackfilledIfItLeavesThePromisedPlaceAlone) {
  node(4);
  runs(0, a_job().cores(2), 100);
  waits(a_job().cores(3));  // in 100 s, one core is left beside it
  waits(a_job().limit(10'000));
  waits(a_job().limit(10'000));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "3@n1 b") << "the second long one would delay job 2";
}

TEST_F(EasyTest, WhatIsLeftBesideAPromiseIsLeftOnItsNodesOnly) {
  node(4);
  node(4);
  runs(0, a_job().cores(4), 100);
  runs(1, a_job().cores(2), 500);
  waits(a_job().cores(4));       // n1 in 100 s
  waits(a_job().limit(10'000));  // n2 is nobody's
  waits(a_job().cores(3).limit(50));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "4@n2 b");
  expect_reservation(decision, 3, 100, {{0, 1}});
}

TEST_F(EasyTest, MemoryAndDevicesArePromisedToo) {
  node(8, 1000, 2);
  runs(0, a_job().memory(600).gpus(1), 100);
  waits(a_job().memory(700));
  waits(a_job().memory(301).limit(1000));  // there now, but not beside job 2
  waits(a_job().memory(300).limit(1000));
  EXPECT_EQ(starts(decide()), "4@n1 b");

  queue().jobs.clear();
  waits(a_job().gpus(2));  // 5, in 100 s
  waits(a_job().gpus(1).limit(1000));
  waits(a_job().gpus(1).limit(99));
  EXPECT_EQ(starts(decide()), "7@n1 b");
}

TEST_F(EasyTest, AnExclusiveJobIsPromisedAnEmptyNode) {
  node(4);
  node(4);
  runs(0, a_job(), 100);
  runs(1, a_job(), 200);
  waits(a_job().exclusive());
  waits(a_job().limit(150).not_on("n2"));  // n1 is promised
  waits(a_job().limit(150).not_on("n1"));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "5@n2 b");
  expect_reservation(decision, 3, 100, {{0, 1}});
}

TEST_F(EasyTest, AJobOverSeveralNodesIsPromisedAllOfThem) {
  node(4);
  node(4);
  node(4);
  runs(0, a_job().cores(4), 100);
  runs(1, a_job().cores(4), 200);
  waits(a_job().nodes(3).tasks(3).cores(4));
  waits(a_job().cores(4).limit(200));
  waits(a_job().limit(201));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "4@n3 b");
  expect_reservation(decision, 3, 200, {{0, 1}, {1, 1}, {2, 1}});
}

TEST_F(EasyTest, WhatAPassStartsCountsInItsReservations) {
  node(4);
  waits(a_job().cores(3).limit(50));
  waits(a_job().cores(2));
  waits(a_job().limit(51));
  waits(a_job().limit(50));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "1@n1 3@n1 b") << "one core is left beside job 2";
  expect_reservation(decision, 2, 50, {{0, 1}});
}

TEST_F(EasyTest, TiesGoToTheLowerNumber) {
  node(4);
  node(4);
  node(4);
  waits(a_job());
  waits(a_job().cores(4));
  waits(a_job().cores(4));
  EXPECT_EQ(starts(decide()), "1@n1 2@n2 3@n3");
}

TEST_F(EasyTest, WithoutBackfillNothingPassesABlockedJob) {
  node(4);
  queue().config.backfill = Backfill::None;
  runs(0, a_job().cores(3), 100);
  waits(a_job().cores(4));
  waits(a_job().limit(10));
  EXPECT_EQ(starts(decide()), "");
}

TEST_F(EasyTest, JobsAtALimitNeitherStartNorReserve) {
  node(4);
  runs(0, a_job().cores(2), 100);
  const JobId limited = waits(a_job().cores(4));
  queue().limited = {limited};
  waits(a_job().cores(2).limit(10'000));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "3@n1");
  EXPECT_EQ(decision.limited, std::vector<JobId>{limited});
  EXPECT_TRUE(decision.reservations.empty());
}

TEST_F(EasyTest, JobsThatNoUsableNodeCouldHoldDoNotReserve) {
  node(4);
  node(8);
  queue().usable = {1, 0};  // n2 is down
  runs(0, a_job(), 100);
  waits(a_job().cores(8));
  waits(a_job().cores(3).limit(10'000));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "3@n1");
  EXPECT_TRUE(decision.reservations.empty());
}

TEST_F(EasyTest, TheQueueOfHigherPriorityComesFirstAndPromisesHoldAcrossQueues) {
  node(4);
  node(4);
  runs(0, a_job().cores(3), 100);
  runs(1, a_job().cores(4), 200);
  queues_.push_back({QueueConfig{"urgent"}, all_nodes(), {}, {}});
  const JobId urgent = waits(a_job().cores(4));
  queues_.push_back({QueueConfig{"batch"}, all_nodes(), {}, {}});
  const JobId large = waits(a_job().cores(4));
  waits(a_job().limit(101));
  waits(a_job().limit(100));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "6@n1 b");
  ASSERT_EQ(decision.reservations.size(), 2u) << "one for each queue";
  EXPECT_EQ(decision.reservations[0].job, urgent);
  EXPECT_EQ(decision.reservations[0].plan, (Plan{{0, 1}}));
  EXPECT_EQ(decision.reservations[1].job, large);
  EXPECT_EQ(decision.reservations[1].plan, (Plan{{1, 1}}));
  EXPECT_EQ((decision.reservations[1].start_ms - now_ms) / second, 200);
}

TEST_F(EasyTest, AReservationMayWaitForTheEndOfAnotherQueuesReservedJob) {
  node(4);
  runs(0, a_job().cores(1), 100);
  queues_.push_back({QueueConfig{"urgent"}, all_nodes(), {}, {}});
  waits(a_job().cores(4).limit(50));
  queues_.push_back({QueueConfig{"batch"}, all_nodes(), {}, {}});
  const JobId large = waits(a_job().cores(4).limit(500));
  waits(a_job().limit(160));  // would end after the large job's turn has come
  waits(a_job().limit(90));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "5@n1 b");
  ASSERT_EQ(decision.reservations.size(), 2u);
  EXPECT_EQ(decision.reservations[1].job, large);
  EXPECT_EQ((decision.reservations[1].start_ms - now_ms) / second, 150);
}

TEST_F(EasyTest, APromiseDoesNotReachIntoAnotherQueuesPromise) {
  node(4);
  runs(0, a_job().cores(2), 100);
  runs(0, a_job(), 50);
  queues_.push_back({QueueConfig{"urgent"}, all_nodes(), {}, {}});
  waits(a_job().cores(3).limit(30));  // 100 s to 130 s
  queues_.push_back({QueueConfig{"batch"}, all_nodes(), {}, {}});
  const JobId long_one = waits(a_job().cores(2).limit(100));  // fits in 50 s, for 50 s
  const Decision decision = decide();
  ASSERT_EQ(decision.reservations.size(), 2u);
  EXPECT_EQ(decision.reservations[1].job, long_one);
  EXPECT_EQ((decision.reservations[1].start_ms - now_ms) / second, 130);
}

TEST_F(EasyTest, WhatIsLeftBesideAPromiseCountsEarlierPromisesOfQueuesBehind) {
  node(8);
  runs(0, a_job().cores(4), 100);
  runs(0, a_job().cores(2), 50);
  queues_.push_back({QueueConfig{"urgent"}, all_nodes(), {}, {}});
  waits(a_job().cores(5));  // in 100 s; 3 are left beside it
  queues_.push_back({QueueConfig{"batch"}, all_nodes(), {}, {}});
  waits(a_job().cores(3));  // in 50 s, and takes these 3
  waits(a_job().limit(101));
  waits(a_job().limit(100));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "6@n1 b");
  ASSERT_EQ(decision.reservations.size(), 2u);
  EXPECT_EQ((decision.reservations[1].start_ms - now_ms) / second, 50);
}

TEST_F(EasyTest, BehindAJobThatCanNeverStartTheNextIsPromisedEvenIfNothingIsFree) {
  node(4);
  node(8);
  queue().usable = {1, 0};  // n2 is down
  runs(0, a_job().cores(4), 100);
  waits(a_job().cores(8));
  const JobId next = waits(a_job().cores(2));
  const Decision decision = decide();
  EXPECT_EQ(starts(decision), "");
  expect_reservation(decision, next, 100, {{0, 1}});
}

TEST_F(EasyTest, TheNodeThatFailedAJobIsAvoidedIfAnotherWillDo) {
  node(4);
  node(4);
  waits(a_job());
  jobs_.back().avoid_node = "n1";
  waits(a_job().only_on("n1"));
  jobs_.back().avoid_node = "n1";
  EXPECT_EQ(starts(decide()), "1@n2 2@n1");
}

TEST_F(EasyTest, OnlySoManyCandidatesAreLookedAt) {
  node(4);
  runs(0, a_job().cores(3), 100);
  waits(a_job().cores(4));
  for (int i = 0; i < 2; ++i) waits(a_job().limit(10).memory(MiB{1} << 30));
  waits(a_job().limit(10));
  EXPECT_EQ(starts(decide(2)), "");
  EXPECT_EQ(starts(decide(5)), "5@n1 b");
  EXPECT_EQ(starts(decide(0)), "5@n1 b");
}

TEST_F(EasyTest, AJobPastItsLimitIsExpectedToEndAnyMoment) {
  node(4);
  runs(0, a_job().cores(4), -500);
  waits(a_job());
  const Decision decision = decide();
  expect_reservation(decision, 2, 0, {{0, 1}});
}

}  // namespace
}  // namespace hyades
