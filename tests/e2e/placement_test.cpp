// Where jobs go on a real cluster whose nodes are said to be unlike each other.
#include <gtest/gtest.h>

#include "cluster.hpp"

namespace hyades::test {
namespace {

class Placement : public testing::Test {
 protected:
  // vn1 is good at memory, vn2 at computing.
  void SetUp() override {
    cluster_.must_up();
    const std::string file = cluster_.write_file(
        "profiles.json",
        R"({"nodes": {"vn1": {"figures": {"gemm_gflops": 10, "stream_one_gbs": 20}},)"
        R"( "vn2": {"figures": {"gemm_gflops": 40, "stream_one_gbs": 5}}}})");
    ASSERT_TRUE(cluster_.run({"hctl", "node", "profile", "--from", file}).good());
  }
  std::string nodes_of(JobId job) { return cluster_.must_wait(job)["nodes"].dump(); }
  Json placement_of(JobId job) {
    return cluster_.run({"hexplain", std::to_string(job), "--json"}).json()["jobs"][0]["placement"];
  }

  Cluster cluster_;
};

TEST_F(Placement, EachGoesWhereItsClassIsFastAndHexplainSaysWhy) {
  const JobId computes = cluster_.must_wrap("true", {"--class", "compute", "--time", "10"});
  EXPECT_NE(nodes_of(computes).find("vn2"), std::string::npos) << nodes_of(computes);
  const JobId streams = cluster_.must_wrap("true", {"--class=memory", "--time", "10"});
  EXPECT_NE(nodes_of(streams).find("vn1"), std::string::npos) << nodes_of(streams);

  const Json why = placement_of(computes);
  EXPECT_EQ(why["class"], "compute");
  EXPECT_EQ(why["places"], 2);
  EXPECT_EQ(why["first_fit"], "vn1");
  EXPECT_GT(why["first_fit_cost"]["total"], why["cost"]["total"]);
  const std::string text = cluster_.run({"hexplain", std::to_string(computes)}).out;
  EXPECT_NE(text.find("chosen of 2 places for class compute, modelled: "), std::string::npos)
      << text;
  EXPECT_NE(text.find("first fit, vn1:"), std::string::npos) << text;
}

TEST_F(Placement, AnAdminCanSwitchItOffAtOnce) {
  cluster_.configure("[placement]\nenabled = false\n");
  ASSERT_TRUE(cluster_.run({"hctl", "reload"}).good());
  const JobId job = cluster_.must_wrap("true", {"--class", "compute"});
  EXPECT_NE(nodes_of(job).find("vn1"), std::string::npos);
  EXPECT_TRUE(placement_of(job).is_null());
}

TEST_F(Placement, AClassThatIsNotThereIsRefusedWithTheNearest) {
  const CommandResult wrong = cluster_.run({"hsub", "--class", "comput", "--wrap", "true"});
  EXPECT_EQ(wrong.exit_code, 1) << wrong.text();
  EXPECT_NE(wrong.err.find("there is no class"), std::string::npos) << wrong.text();
  EXPECT_NE(wrong.err.find("compute"), std::string::npos) << wrong.text();
  cluster_.configure("[[class]]\nname = \"cfd\"\ncompute = 0.2\nmemory = 0.8\n");
  ASSERT_TRUE(cluster_.run({"hctl", "reload"}).good());
  const JobId job = cluster_.must_wrap("true", {"--class", "cfd"});
  EXPECT_NE(nodes_of(job).find("vn1"), std::string::npos);
}

}  // namespace
}  // namespace hyades::test
