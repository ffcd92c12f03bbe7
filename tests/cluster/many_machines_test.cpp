// Hyades on several machines: `hyades up --hostfile`, and what the supervisor does when machines,
// cables or processes fail.
#include <gtest/gtest.h>

#include "namespace_cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

class ManyMachines : public testing::Test {
 protected:
  void SetUp() override { HYADES_NEEDS_NAMESPACES(); }
};

TEST_F(ManyMachines, EachRunsJobs) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.must_up();
  for (const std::string& node : cluster.nodes()) {
    const JobId id = cluster.must_wrap("hostname >" + node + ".out", {"-w", node});
    EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED");
    EXPECT_EQ(cluster.read_file(node + ".out"), node + "\n");
  }
  cluster.must_down();
}

}  // namespace
}  // namespace hyades::test
