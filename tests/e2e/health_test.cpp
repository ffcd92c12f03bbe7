// The site's health program takes a node out of use and gives it back, by itself.
#include "shared_cluster_test.hpp"

namespace hyades::test {
namespace {

class Health : public testing::Test {
 protected:
  // As a site would write it: the node is unwell until the file `well` appears in its directory.
  void SetUp() override {
    program_ = cluster_.write_file("health",
                                   "#!/bin/sh\n"
                                   "[ \"$HYADES_NODENAME\" = vn1 ] || exit 0\n"
                                   "[ -e " +
                                       cluster_.path("well") +
                                       " ] && exit 0\n"
                                       "echo \"the scratch disk is gone\"\nexit 1\n",
                                   0755);
    cluster_.configure("[health]\nevery = \"0:01\"\ndisk_free = 0\nprogram = \"" + program_ +
                       "\"\n");
  }

  Json node(const std::string& name) {
    const Json nodes = cluster_.run({"hinfo", "-N", "--json"}).json();
    for (const Json& node : nodes["nodes"]) {
      if (node["name"] == name) return node;
    }
    return Json::object();
  }
  bool wait_for_reason(const std::string& reason) {
    return wait_until([&] { return node("vn1").value("drain_reason", "?") == reason; });
  }

  Cluster cluster_;
  std::string program_;
};

TEST_F(Health, AnUnwellNodeWaitsAndComesBackByItself) {
  cluster_.must_up();
  ASSERT_TRUE(wait_for_reason("the scratch disk is gone")) << node("vn1").dump(2);
  EXPECT_EQ(node("vn1")["drained_by"], "health check");
  EXPECT_EQ(node("vn2")["drain_reason"], "");
  const JobId waits = cluster_.must_wrap("echo $HYADES_NODENAME", {"-w", "vn1", "-o", "here"});
  const JobId elsewhere = cluster_.must_wrap("echo $HYADES_NODENAME", {"-o", "elsewhere"});
  EXPECT_EQ(cluster_.must_wait(elsewhere)["state"], "COMPLETED");
  EXPECT_EQ(cluster_.read_file("elsewhere"), "vn2\n");
  EXPECT_EQ(cluster_.job(waits)["reason"], "ReqNodeNotAvail");

  // A new master and new workers believe what was known until they have looked themselves.
  cluster_.must_down();
  cluster_.must_up();
  ASSERT_TRUE(wait_for_reason("the scratch disk is gone")) << node("vn1").dump(2);
  EXPECT_EQ(cluster_.state_of(waits), "PENDING");

  cluster_.write_file("well", "");
  EXPECT_EQ(cluster_.must_wait(waits)["state"], "COMPLETED");
  EXPECT_EQ(cluster_.read_file("here"), "vn1\n");
  EXPECT_EQ(node("vn1")["drain_reason"], "");
}

}  // namespace
}  // namespace hyades::test
