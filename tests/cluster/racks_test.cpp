// Machines in two racks: which are near is measured, and jobs that talk stay within one.
#include <gtest/gtest.h>

#include "namespace_cluster.hpp"

namespace hyades::test {
namespace {

// First fit takes n1 and n2, which are far from each other.
constexpr const char* kGroups =
    "group = \"left\"\n\n[[node]]\nname = \"n2,n4\"\ncores = 2\ngroup = \"right\"\n";

class Racks : public testing::Test {
 protected:
  void SetUp() override {
    HYADES_NEEDS_NAMESPACES();
    cluster_ = std::make_unique<NamespaceCluster>(
        ClusterOptions{.nodes = 4, .cores = 2, .config = kGroups, .node_names = "n1,n3"});
    cluster_->put_far({"n2", "n4"}, 200'000);
    cluster_->must_up();
    ASSERT_TRUE(cluster_->wait_until_responding({"n1", "n2", "n3", "n4"}));
  }
  Json nodes_of(const std::vector<std::string>& options) {
    return cluster_->must_wait(cluster_->must_wrap("true", options))["nodes"];
  }

  std::unique_ptr<NamespaceCluster> cluster_;
};

TEST_F(Racks, TheLinksSayWhichNodesAreNear) {
  const std::string links = program("hyades-links") + " --seconds 0.1 --json";
  const JobId job = cluster_->must_wrap(
      "mpirun " + links, {"-N", "4", "--ntasks-per-node=1", "-o", "links", "-e", "said"});
  ASSERT_EQ(cluster_->must_wait(job)["state"], "COMPLETED")
      << cluster_->read_file("links") << cluster_->read_file("said");
  const Json found = Json::parse(cluster_->read_file("links"), nullptr, false);
  ASSERT_FALSE(found.is_discarded()) << cluster_->read_file("links") << cluster_->read_file("said");
  EXPECT_EQ(found["groups"].dump(), R"([["n1","n3"],["n2","n4"]])") << found.dump(1);
  EXPECT_GT(found["far"], 1.5) << found.dump(1);
  EXPECT_EQ(found["links"].size(), 6u);
}

TEST_F(Racks, JobsThatTalkStayInOne) {
  EXPECT_EQ(nodes_of({"-N", "2", "--class=network"}).dump(), R"(["n1","n3"])");
  EXPECT_EQ(nodes_of({"-N", "2", "--class=none"}).dump(), R"(["n1","n2"])");
}

}  // namespace
}  // namespace hyades::test
