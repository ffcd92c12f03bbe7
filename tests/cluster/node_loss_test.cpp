// Jobs on several machines, and what becomes of them when machines or cables fail. The jobs'
// journals are the evidence: when each attempt was alive, by the clock that all machines share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "namespace_cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

using testing::HasSubstr;

// From the first to the last sign of life of one attempt of a job on one node.
struct Life {
  std::string attempt;
  std::string node;
  double from_s = 0;
  double to_s = 0;
};

double boot_now_s() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class NodeLoss : public testing::Test {
 protected:
  void SetUp() override { HYADES_NEEDS_NAMESPACES(); }

  // A job that writes a line with the time into its journal ten times a second until NAME.go is
  // there. The journal is on the shared disk, which has no cable here.
  static JobId submit(NamespaceCluster& cluster, const std::string& name,
                      const std::vector<std::string>& options) {
    std::vector<std::string> all = {"-o", name + ".out"};
    all.insert(all.end(), options.begin(), options.end());
    const JobId id = cluster.must_wrap(
        "while [ ! -e " + name +
            ".go ]; do read now rest </proc/uptime; echo $HYADES_ATTEMPT $HYADES_NODENAME $now >>" +
            name + ".journal; sleep 0.1; done",
        all);
    EXPECT_TRUE(wait_until([&] { return !journal(cluster, name).empty(); })) << cluster.log();
    return id;
  }

  // The attempts in the order of their first line.
  static std::vector<Life> journal(NamespaceCluster& cluster, const std::string& name) {
    std::vector<Life> lives;
    std::ifstream file(cluster.work() + '/' + name + ".journal");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      Life life;
      if (!(words >> life.attempt >> life.node >> life.from_s)) continue;
      life.to_s = life.from_s;
      const auto same = std::find_if(lives.begin(), lives.end(), [&](const Life& other) {
        return other.attempt == life.attempt;
      });
      if (same == lives.end()) {
        lives.push_back(life);
      } else {
        same->to_s = life.to_s;
      }
    }
    return lives;
  }

  static std::string state(NamespaceCluster& cluster, JobId id) { return cluster.job(id)["state"]; }

  static void expect_ends_well(NamespaceCluster& cluster, JobId id, const std::string& name,
                               int attempts) {
    cluster.write_file(name + ".go", "");
    const Json job = cluster.must_wait(id);
    EXPECT_EQ(job["state"], "COMPLETED") << job.dump(2) << cluster.log();
    EXPECT_EQ(job["attempts"], attempts) << job.dump(2);
  }

  static void pass(double seconds) {
    const double end_s = boot_now_s() + seconds;
    wait_until([&] { return boot_now_s() >= end_s; });
  }
};

TEST_F(NodeLoss, MpirunAndHrunSpanTheMachines) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.must_up();
  const std::string hello = program("mpi_hello");
  const std::string hrun = program("hrun");
  const JobId id = cluster.must_wrap(
      "mpirun " + hello + "; " + hrun + " --label sh -c 'echo $(hostname) $WORLD_SIZE'",
      {"-N3", "-n3", "-o", "wide.out"});
  EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED") << cluster.log();
  const std::string out = cluster.read_file("wide.out");
  for (const char* line : {"rank 0 of 3, sum 3\n", "rank 1 of 3, sum 3\n", "rank 2 of 3, sum 3\n",
                           "0: n1 3\n", "1: n2 3\n", "2: n3 3\n"}) {
    EXPECT_THAT(out, HasSubstr(line));
  }
}

TEST_F(NodeLoss, ALeasedJobOfADeadNodeEndsElsewhereOnceAndOthersAreUntouched) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.must_up();
  const JobId leased = submit(cluster, "leased", {"--lease=20s", "-w", "n[2-3]", "-N1"});
  const std::string node = journal(cluster, "leased").front().node;
  const JobId bystander = submit(cluster, "bystander", {"-w", "n1"});
  cluster.power_off(node);
  EXPECT_TRUE(wait_until([&] { return state(cluster, leased) == "UNKNOWN"; })) << cluster.log();
  EXPECT_THAT(cluster.job(leased)["reason"].get<std::string>(), HasSubstr("lease"));
  EXPECT_TRUE(wait_until([&] { return journal(cluster, "leased").size() == 2; })) << cluster.log();
  const std::vector<Life> lives = journal(cluster, "leased");
  ASSERT_EQ(lives.size(), 2u);
  EXPECT_NE(lives[1].node, node);
  expect_ends_well(cluster, leased, "leased", 2);
  expect_ends_well(cluster, bystander, "bystander", 1);
  cluster.power_on(node);
  EXPECT_TRUE(cluster.wait_until_responding({node})) << cluster.log();
}

TEST_F(NodeLoss, WithoutALeaseAJobIsUnknownUntilSomebodyConfirms) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId id = submit(cluster, "job", {"-w", "n2"});
  cluster.power_off("n2");
  EXPECT_TRUE(wait_until([&] { return state(cluster, id) == "UNKNOWN"; })) << cluster.log();
  pass(10);
  EXPECT_EQ(state(cluster, id), "UNKNOWN");
  const std::string reason = cluster.job(id)["reason"];
  EXPECT_THAT(reason, HasSubstr("n2 does not respond"));
  EXPECT_THAT(cluster.run({"hctl", "node", "confirm-dead", "n1"}).err, HasSubstr("responds"));
  EXPECT_EQ(cluster.run({"hctl", "node", "confirm-dead", "n2"}).exit_code, 0);
  EXPECT_EQ(state(cluster, id), "PENDING");
  EXPECT_THAT(cluster.job(id)["last_reason"].get<std::string>(), HasSubstr("confirmed by root"));
  cluster.power_on("n2");
  EXPECT_TRUE(wait_until([&] { return journal(cluster, "job").size() == 2; })) << cluster.log();
  expect_ends_well(cluster, id, "job", 2);
}

TEST_F(NodeLoss, AShortCutChangesNothing) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId plain = submit(cluster, "plain", {"-w", "n2"});
  const JobId leased = submit(cluster, "leased", {"-w", "n2", "--lease=60s"});
  cluster.cut("n2");
  pass(10);
  EXPECT_EQ(state(cluster, plain), "UNKNOWN");
  cluster.mend("n2");
  EXPECT_TRUE(wait_until([&] { return state(cluster, plain) == "RUNNING"; })) << cluster.log();
  EXPECT_TRUE(wait_until([&] { return state(cluster, leased) == "RUNNING"; })) << cluster.log();
  expect_ends_well(cluster, plain, "plain", 1);
  expect_ends_well(cluster, leased, "leased", 1);
}

TEST_F(NodeLoss, AfterALongCutTheOldAttemptIsGoneBeforeTheNextStarts) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.must_up();
  const JobId leased = submit(cluster, "leased", {"--lease=20s", "-w", "n[2-3]", "-N1"});
  const std::string node = journal(cluster, "leased").front().node;
  const JobId kept = submit(cluster, "kept", {"-w", node});
  const double cut_s = boot_now_s();
  cluster.cut(node);
  pass(60);
  cluster.mend(node);
  const std::vector<Life> lives = journal(cluster, "leased");
  ASSERT_EQ(lives.size(), 2u) << cluster.log();
  EXPECT_LT(lives[0].to_s, lives[1].from_s);
  EXPECT_GT(lives[0].to_s, cut_s + 15);  // not before its time
  EXPECT_NE(lives[1].node, node);
  EXPECT_TRUE(cluster.wait_until_responding({node})) << cluster.log();
  // Without a lease it has gone on, and is adopted.
  EXPECT_TRUE(wait_until([&] { return state(cluster, kept) == "RUNNING"; })) << cluster.log();
  expect_ends_well(cluster, leased, "leased", 2);
  expect_ends_well(cluster, kept, "kept", 1);
  EXPECT_EQ(journal(cluster, "leased").size(), 2u);
  EXPECT_EQ(journal(cluster, "kept").size(), 1u);
}

// The node hears the master and is not heard, or the other way round.
TEST_F(NodeLoss, WhatIsHeardOneWayOnlyIsSilent) {
  for (const bool node_is_mute : {true, false}) {
    NamespaceCluster cluster({.nodes = 2});
    cluster.must_up();
    const JobId id = submit(cluster, "job", {"-w", "n2"});
    const std::string from = node_is_mute ? "n2" : "head";
    const std::string to = node_is_mute ? "head" : "n2";
    cluster.cut_one_way(from, to);
    EXPECT_TRUE(wait_until([&] { return state(cluster, id) == "UNKNOWN"; }))
        << from << cluster.log();
    cluster.mend_one_way(from, to);
    EXPECT_TRUE(wait_until([&] { return state(cluster, id) == "RUNNING"; })) << cluster.log();
    expect_ends_well(cluster, id, "job", 1);
  }
}

TEST_F(NodeLoss, ASlowLinkIsNoSilence) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  cluster.slow("n2", 64);
  const JobId id = submit(cluster, "job", {"-w", "n2"});
  pass(10);
  EXPECT_EQ(state(cluster, id), "RUNNING") << cluster.log();
  expect_ends_well(cluster, id, "job", 1);
}

TEST_F(NodeLoss, AJobOverThreeNodesLosesOneAndStartsAgainWhole) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.must_up();
  const std::string hrun = program("hrun");
  const JobId id = cluster.must_wrap(
      hrun +
          " sh -c 'until [ -e wide.go ]; do read now rest </proc/uptime; echo $HYADES_ATTEMPT "
          "$(hostname) $now >>wide.$(hostname).journal; sleep 0.1; done'",
      {"-N3", "-n3", "-o", "wide.out", "--lease=20s"});
  for (const std::string& node : cluster.nodes()) {
    ASSERT_TRUE(wait_until([&] { return !journal(cluster, "wide." + node).empty(); }))
        << cluster.log();
  }
  cluster.power_off("n3");
  EXPECT_TRUE(wait_until([&] { return state(cluster, id) == "PENDING"; })) << cluster.log();
  // Nothing of it is left on the others.
  for (const char* node : {"n1", "n2"}) {
    EXPECT_TRUE(cluster.processes(node, "wide.go").empty()) << node;
    EXPECT_TRUE(cluster.processes(node, "hyades-stepd").empty()) << node;
  }
  cluster.power_on("n3");
  for (const std::string& node : cluster.nodes()) {
    ASSERT_TRUE(wait_until([&] { return journal(cluster, "wide." + node).size() == 2; }))
        << node << cluster.log();
    const std::vector<Life> lives = journal(cluster, "wide." + node);
    EXPECT_LT(lives[0].to_s, lives[1].from_s) << node;
  }
  expect_ends_well(cluster, id, "wide", 2);
}

}  // namespace
}  // namespace hyades::test
