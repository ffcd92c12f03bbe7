// What nodes can do, measured by jobs on them or from a file, and kept by the master.
#include <signal.h>

#include "census.hpp"
#include "shared_cluster_test.hpp"

namespace hyades::test {
namespace {

class Profile : public SharedClusterTest<Profile> {
 protected:
  Json known() {
    return cluster().run({"hctl", "node", "profile", "--show", "--json"}).json()["nodes"];
  }
  void forget_all() {
    const CommandResult result = cluster().run({"hctl", "node", "profile", "vn[1-2]", "--forget"});
    EXPECT_TRUE(result.good()) << result.text();
    EXPECT_TRUE(known().empty());
  }
};

TEST_F(Profile, IsMeasuredByAJobAndOutlivesTheMaster) {
  const CommandResult result =
      cluster().run({"hctl", "node", "profile", "vn1", "--seconds", "0.05"});
  ASSERT_TRUE(result.good()) << result.text();
  EXPECT_NE(result.out.find("gemm_gflops"), std::string::npos) << result.text();
  const Json profile = known()["vn1"];
  EXPECT_EQ(profile["source"], "hyades-profile 1");
  EXPECT_GT(profile["measured_ms"], 1'700'000'000'000);
  for (const char* name : {"gemm_gflops", "stream_gbs", "stream_one_gbs", "chase_ns", "disk_mbs"}) {
    EXPECT_GT(profile["figures"][name], 0) << name;
  }
  EXPECT_EQ(known().size(), 1u);
  const Json jobs = cluster().run({"hacct", "--json", "--all-users"}).json()["jobs"];
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(cluster().read_file("hyades-profile-" + jobs[0]["id"].dump() + ".out"), "");

  const pid_t master = cluster().pid_of("master_pid");
  ASSERT_EQ(kill(master, SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] {
    reap_orphans();
    const Json now = cluster().status();
    return now["state"] == "up" && now["master_pid"] != master;
  }));
  EXPECT_EQ(known()["vn1"], profile);
  const Json node = cluster().run({"hctl", "show", "node", "vn1", "--json"}).json()["nodes"][0];
  EXPECT_EQ(node["profile"]["figures"], profile["figures"]);
  forget_all();
}

TEST_F(Profile, OfEachNodeIsReportedByItselfWhenNobodyWaits) {
  const CommandResult result =
      cluster().run({"hctl", "node", "profile", "--no-wait", "--json", "--seconds", "0.02"});
  ASSERT_TRUE(result.good()) << result.text();
  const Json jobs = result.json()["jobs"];
  ASSERT_EQ(jobs.size(), 2u);
  for (const Json& job : jobs) {
    EXPECT_EQ(cluster().must_wait(job["job"].get<JobId>())["state"], "COMPLETED");
  }
  EXPECT_EQ(known().size(), 2u);
  forget_all();
}

TEST_F(Profile, AFileIsTakenAsAWholeOrNotAtAll) {
  const std::string good = cluster().write_file(
      "good.json", R"({"nodes": {"vn[1-2]": {"figures": {"gemm_gflops": 50, "mine": 2}}}})");
  ASSERT_TRUE(cluster().run({"hctl", "node", "profile", "--from", good}).good());
  const Json before = known();
  EXPECT_EQ(before["vn2"]["figures"]["mine"], 2);
  EXPECT_EQ(before["vn2"]["source"], good);
  for (const char* text :
       {R"({"nodes": {"vn1": {"figures": {"a": 1}}, "vn9": {"figures": {"a": 1}}}})",
        R"({"nodes": {"vn1": {"figures": {"a": 1}}, "vn2": {"figures": {"a": -1}}}})",
        R"({"nodes": {"vn1": {"figures": {"a": 1}}, "vn2": {"figure": {}}}})", "{"}) {
    const CommandResult result =
        cluster().run({"hctl", "node", "profile", "--from", "-"}, {.input = text});
    EXPECT_EQ(result.exit_code, 1) << result.text();
    EXPECT_EQ(known(), before) << text;
  }
  // What --show prints is such a file.
  const std::string shown = cluster().run({"hctl", "node", "profile", "--show", "--json"}).out;
  forget_all();
  ASSERT_TRUE(cluster().run({"hctl", "node", "profile", "--from", "-"}, {.input = shown}).good());
  EXPECT_EQ(known(), before);
  forget_all();
}

// By being cancelled: nothing else makes it fail on every machine.
TEST_F(Profile, AJobThatFailsIsNamedWithItsOutput) {
  const auto hctl = cluster().start({"hctl", "node", "profile", "vn2", "--seconds", "30"});
  ASSERT_TRUE(wait_until([&] { return hctl->out().find(": job ") != std::string::npos; }));
  const std::string out = hctl->out();
  const std::string id = std::to_string(std::stoull(out.substr(out.find(": job ") + 6)));
  ASSERT_TRUE(cluster().wait_for_state(std::stoull(id), "RUNNING"));
  ASSERT_TRUE(cluster().run({"hcancel", id}).good());
  const CommandResult result = hctl->finish(60'000);
  EXPECT_EQ(result.exit_code, 1) << result.text();
  EXPECT_NE(result.err.find("node vn2: job " + id), std::string::npos) << result.text();
  EXPECT_NE(result.err.find("hyades-profile-" + id + ".out"), std::string::npos) << result.text();
  EXPECT_TRUE(known().empty());
}

TEST_F(Profile, NodesThatCannotBeMeasuredAreNamed) {
  ASSERT_TRUE(cluster().run({"hctl", "drain", "vn1", "--reason", "mended"}).good());
  const CommandResult drained = cluster().run({"hctl", "node", "profile", "vn[1-2]"});
  EXPECT_EQ(drained.exit_code, 1);
  EXPECT_NE(drained.err.find("node vn1 is drained"), std::string::npos) << drained.text();
  EXPECT_EQ(cluster().run({"hctl", "resume", "vn1"}).exit_code, 0);
  const CommandResult missing = cluster().run({"hctl", "node", "profile", "vn3"});
  EXPECT_NE(missing.err.find("did you mean vn1"), std::string::npos) << missing.text();
  EXPECT_EQ(cluster().run({"hctl", "node", "profile", "--seconds", "0"}).exit_code, 2);
  EXPECT_EQ(cluster().run({"hctl", "show", "config", "--forget"}).exit_code, 2);
}

}  // namespace
}  // namespace hyades::test
