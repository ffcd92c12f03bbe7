// Random kill -9 of what a cluster of several machines consists of, and of parts of its jobs, under
// a load of jobs on one, two and three nodes.
//
// HYADES_CHAOS_SEED repeats a run, HYADES_CHAOS_KILLS sets the number of kills.
#include <gtest/gtest.h>

#include "chaos_run.hpp"
#include "cluster_nemesis.hpp"
#include "namespace_cluster.hpp"

namespace hyades::test {
namespace {

TEST(ClusterKills, NoPromiseIsBroken) {
  HYADES_NEEDS_NAMESPACES();
  const unsigned seed = choose_seed();
  // Nodes on which so much goes wrong would be drained, and everything would wait for an operator.
  // Silence is noticed soon, so that there is less waiting in a run.
  auto made = std::make_unique<NamespaceCluster>(
      ClusterOptions{.nodes = 3,
                     .cores = 6,
                     .cluster_config = "bad_node_jobs = 0\nheartbeat_ms = 500\n"
                                       "node_timeout_ms = 3000\n"});
  NamespaceCluster& cluster = *made;
  ChaosRun run(std::move(made), {.state_directory = "",
                                 .journal_directory = "",
                                 .probe = program("chaos_probe"),
                                 .widest = 3,
                                 .hrun = program("hrun"),
                                 .mpi_probe = program("chaos_mpi_probe"),
                                 .clients = 3,
                                 .queued = 16,
                                 .longest_ms = 4000,
                                 .again_every = 100,
                                 .cancel_every = 300,
                                 .seed = seed});
  run.must_begin();
  if (HasFatalFailure()) return;
  ClusterNemesis nemesis(cluster, seed);
  EXPECT_TRUE(nemesis.run(number_from_environment("HYADES_CHAOS_KILLS", 0)))
      << nemesis.failure() << cluster.log();
  std::printf("%d kills:\n%s", nemesis.kills(), nemesis.table().c_str());
  run.must_end_well(nemesis.deaths());
}

}  // namespace
}  // namespace hyades::test
