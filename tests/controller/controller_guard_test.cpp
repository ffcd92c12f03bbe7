// The guard against endless waits, as a cluster has it: with limits, dry runs, nodes that change
// and clocks that are set.
#include "test_cluster.hpp"

namespace hyades {
namespace {

constexpr std::int64_t kMinute_ms = 60'000;
constexpr std::int64_t kHour_ms = 60 * kMinute_ms;
constexpr std::uint32_t carol = 1002;
constexpr std::uint32_t dave = 1003;

// The smallest go first, and nobody may wait for more than ten minutes longer than it has to.
ClusterConfig small_first() {
  ClusterConfig config = TestCluster::patient();
  config.queues.front().order = QueueOrder::Saf;
  config.guard.enabled = true;
  config.guard.factor = 1;
  config.guard.after_s = 600;
  return config;
}

// One node of four cores. A job waits for what another holds until it is over age, and a smaller
// one comes as well: whose turn is it when the place is free?
class GuardedCluster : public ::testing::Test {
 protected:
  explicit GuardedCluster(const ClusterConfig& config = small_first()) : cluster(config) {
    cluster.nodes(1, 4);
  }
  // Lets time go by until even the twin has started all.
  void wait_long() {
    for (int i = 0; i < 10; ++i) pass_half_an_hour();
  }
  void pass_half_an_hour() {
    cluster.advance(kHour_ms / 2);
    for (const Node& node : cluster.controller().cluster().nodes()) cluster.heartbeat(node.name);
  }
  void expect_old_before_small() {
    const JobId filler = cluster.running(a_job().cores(4));
    const JobId old = cluster.submit(a_job().cores(3));
    wait_long();
    const JobId small = cluster.submit(a_job().cores(2).limit(60));
    cluster.exits(filler);
    EXPECT_TRUE(is_placed(old));
    EXPECT_FALSE(is_placed(small));
    cluster.forget();
  }
  bool is_placed(JobId job) { return cluster.job(job).placed(); }

  TestCluster cluster;
};

TEST_F(GuardedCluster, WhoIsOverAgeGoesBeforeSmallerOnes) { expect_old_before_small(); }

// Its job would have had the number that the next real one gets.
TEST_F(GuardedCluster, ADryRunLeavesNoTrace) {
  SubmitRequest dry;
  dry.spec = a_job().cores(4).limit(36'000);
  dry.spec.queue = "batch";
  Caller caller;
  caller.uid = TestCluster::alice;
  EXPECT_EQ(cluster.controller().try_submission(dry, caller, cluster.now()).error, ErrorCode::None);
  expect_old_before_small();
}

TEST_F(GuardedCluster, NodesMayGetOtherDevices) {
  const JobId first = cluster.running(a_job().cores(4));
  cluster.exits(first);
  cluster.forget();
  Inventory with_gpu;
  with_gpu.cores = 8;
  with_gpu.memory_mib = 65536;
  with_gpu.devices = {{"gpu", 2}};
  cluster.equip("n1", with_gpu);
  const JobId whole = cluster.running(a_job().cores(8));
  const JobId next = cluster.submit(a_job().exclusive().gpus(2));
  wait_long();
  cluster.exits(whole);
  EXPECT_TRUE(is_placed(next));
  EXPECT_EQ(cluster.policy().guard()->twin().longest_wait_ms("batch"), kHour_ms);
  cluster.forget();
}

TEST_F(GuardedCluster, AClockThatIsSetBackMakesNobodyOld) {
  const JobId first = cluster.running(a_job().cores(4));
  const JobId second = cluster.submit(a_job().cores(4));
  cluster.advance(kMinute_ms);
  cluster.set_clock(-48 * kHour_ms);
  const JobId third = cluster.submit(a_job().cores(4));
  cluster.exits(first);
  cluster.starts(second);
  cluster.exits(second);
  cluster.starts(third);
  cluster.exits(third);
  cluster.forget();
  for (int i = 0; i < 50; ++i) {
    const JobId passing = cluster.running(a_job().cores(4));
    pass_half_an_hour();
    pass_half_an_hour();
    cluster.exits(passing);
    cluster.forget();
  }
  EXPECT_LT(cluster.policy().guard()->twin().longest_wait_ms("batch"), 12 * kHour_ms);
  cluster.forget();
}

ClusterConfig one_each() {
  ClusterConfig config = small_first();
  config.queues.front().max_running_per_user = 1;
  return config;
}

class LimitedCluster : public GuardedCluster {
 protected:
  LimitedCluster() : GuardedCluster(one_each()) {}
};

TEST_F(LimitedCluster, WhomALimitKeepsBackHoldsUpNobody) {
  cluster.running(a_job());
  const JobId filler = cluster.running(a_job().cores(3), TestCluster::bob);
  const JobId limited = cluster.submit(a_job());
  const JobId old = cluster.submit(a_job().cores(3), carol);
  wait_long();
  const JobId small = cluster.submit(a_job().cores(1).limit(60), dave);
  cluster.exits(filler);
  EXPECT_FALSE(is_placed(limited));
  EXPECT_TRUE(is_placed(old));
  EXPECT_FALSE(is_placed(small));
  cluster.forget();
}

// No node of today can hold it, because the only one that could is drained.
TEST_F(GuardedCluster, WhomNoNodeCanHoldHoldsUpNobody) {
  cluster.nodes(1, 16);
  cluster.ask_as_operator(DrainRequest{"n2", "broken"});
  cluster.forget();
  const JobId filler = cluster.running(a_job().cores(4));
  cluster.submit(a_job().cores(16));
  const JobId old = cluster.submit(a_job().cores(3));
  wait_long();
  const JobId small = cluster.submit(a_job().cores(2).limit(60));
  cluster.exits(filler);
  EXPECT_TRUE(is_placed(old));
  EXPECT_FALSE(is_placed(small));
  cluster.forget();
}

}  // namespace
}  // namespace hyades
