// Hyades on several machines: `hyades up --hostfile`, and what the supervisor does when machines,
// cables or processes fail. Whatever does, jobs run on, and their node comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include "namespace_cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class ManyMachines : public testing::Test {
 protected:
  void SetUp() override { HYADES_NEEDS_NAMESPACES(); }
};

// A job on a node that waits for the file NODE.go.
JobId submit_gate(NamespaceCluster& cluster, const std::string& node) {
  const JobId id = cluster.must_wrap(
      "echo ready $$; while [ ! -e " + node + ".go ]; do sleep 0.05; done; echo done $$",
      {"-w", node, "-o", node + ".out"});
  EXPECT_TRUE(cluster.wait_for_output(node + ".out", "ready"));
  return id;
}

// It ends well, and it is the process that it was.
void expect_untouched(NamespaceCluster& cluster, JobId id, const std::string& node) {
  cluster.write_file(node + ".go", "");
  const Json job = cluster.must_wait(id);
  EXPECT_EQ(job["state"], "COMPLETED") << job.dump(2) << cluster.log();
  EXPECT_EQ(job["attempts"], 1) << job.dump(2);
  const std::string out = cluster.read_file(node + ".out");
  ASSERT_TRUE(out.starts_with("ready ")) << out;
  const std::string pid = out.substr(6, out.find('\n') - 6);
  EXPECT_EQ(out, "ready " + pid + "\ndone " + pid + "\n");
}

std::string host_state(NamespaceCluster& cluster, const std::string& node) {
  const Json now = cluster.status();
  for (const Json& host : now["hosts"]) {
    if (host["name"] == node) return host["state"];
  }
  return "?";
}

TEST_F(ManyMachines, EachRunsJobs) {
  NamespaceCluster cluster({.nodes = 3});
  const CommandResult up = cluster.up();
  ASSERT_EQ(up.exit_code, 0) << up.text() << cluster.log();
  for (const std::string& node : cluster.nodes()) EXPECT_THAT(up.err, HasSubstr(node + " up\n"));
  for (const std::string& node : cluster.nodes()) {
    const JobId id = cluster.must_wrap("hostname >" + node + ".host", {"-w", node});
    EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED");
    EXPECT_EQ(cluster.read_file(node + ".host"), node + "\n");
    // Its spool is on its own disk, and nothing of the master's is.
    EXPECT_FALSE(std::filesystem::exists(cluster.directory() + "/spool/" + node));
    EXPECT_TRUE(std::filesystem::exists(cluster.disk_of(node) + "/spool/" + node));
    EXPECT_FALSE(std::filesystem::exists(cluster.disk_of(node) + "/run"));
  }
  const CommandResult again = cluster.up();
  EXPECT_EQ(again.exit_code, 0) << again.text();
  EXPECT_THAT(again.out, HasSubstr("runs in this directory already"));
  cluster.write_file("hostfile", "n1\nn2\n");
  const CommandResult fewer = cluster.up();
  EXPECT_EQ(fewer.exit_code, 1) << fewer.text();
  EXPECT_THAT(fewer.err, HasSubstr("the host file differs from that of the running cluster; "
                                   "`hyades down` first"));
}

TEST_F(ManyMachines, NetworksThatNobodyHasAreNamed) {
  NamespaceCluster cluster({.nodes = 1});
  const std::string config = cluster.write_file("c.toml", "[cluster]\nnetworks = [\"eth99\"]\n");
  const CommandResult up = cluster.up_with({"--config", config});
  EXPECT_EQ(up.exit_code, 1) << up.text();
  EXPECT_THAT(up.err, HasSubstr("networks in [cluster]: this host has no interface in 'eth99'; it "
                                "has eth0 (10.77.0.1), lo (127.0.0.1)"));
  cluster.write_file("c.toml", "[cluster]\nnetworks = [\"eth0\", \"eth99\"]\n");
  const CommandResult half = cluster.up_with({"--config", config});
  EXPECT_EQ(half.exit_code, 1) << half.text();
  EXPECT_THAT(half.err, HasSubstr("no interface in 'eth99'"));
  cluster.write_file("c.toml", "[cluster]\nnetworks = [\"10.77.0.0/24\"]\n");
  const CommandResult good = cluster.up_with({"--config", config});
  EXPECT_EQ(good.exit_code, 0) << good.text() << cluster.log();
}

TEST_F(ManyMachines, DownEndsTheWorldEverywhereAndJobsRunOn) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId id = submit_gate(cluster, "n2");
  cluster.must_down();
  for (const std::string& node : cluster.nodes()) {
    EXPECT_TRUE(cluster.processes(node, "orted").empty()) << node;
    EXPECT_TRUE(cluster.processes(node, "/hyadesd ").empty()) << node;
    const CommandResult left = cluster.run_on(node, {"ls", "/dev/shm", "/run"});
    EXPECT_EQ(left.out, "/dev/shm:\n\n/run:\n") << "what was in memory, too";
    EXPECT_FALSE(std::filesystem::exists(cluster.disk_of(node) + "/spool/" + node + "/mpi"));
  }
  EXPECT_FALSE(std::filesystem::exists(cluster.directory() + "/run/mpi"));
  cluster.must_up();
  expect_untouched(cluster, id, "n2");
}

TEST_F(ManyMachines, WhoDoesNotAnswerJoinsLater) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.power_off("n3");
  const CommandResult up = cluster.up();
  ASSERT_EQ(up.exit_code, 0) << up.text() << cluster.log();
  EXPECT_THAT(up.err, HasSubstr("n3 absent: does not answer"));
  EXPECT_EQ(host_state(cluster, "n3"), "absent");
  const JobId id = submit_gate(cluster, "n1");
  EXPECT_THAT(cluster.run({"hyades", "status"}).out, HasSubstr("n3           absent: does not"));
  cluster.power_on("n3");
  EXPECT_TRUE(cluster.wait_until_responding({"n1", "n2", "n3"})) << cluster.log();
  expect_untouched(cluster, id, "n1");
}

TEST_F(ManyMachines, WhoIsAskedForComesAtOnce) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.power_off("n2");
  cluster.power_off("n3");
  ASSERT_EQ(cluster.up().exit_code, 0) << cluster.log();
  cluster.power_on("n2");
  const CommandResult one = cluster.run({"hctl", "node", "rejoin", "n2", "n7"});
  EXPECT_EQ(one.exit_code, 1) << one.text() << cluster.log();
  EXPECT_THAT(one.out, HasSubstr("n7 is not in the host file\n"));
  EXPECT_THAT(one.out, HasSubstr("n3 does not answer"));
  EXPECT_THAT(one.out, HasSubstr("2 of 3 nodes are in the world\n"));
  EXPECT_TRUE(cluster.responds("n2"));
  cluster.power_on("n3");
  // The last re-forming was a moment ago: it is asked for, so it happens.
  const CommandResult all = cluster.run({"hctl", "node", "rejoin"});
  EXPECT_EQ(all.exit_code, 0) << all.text() << cluster.log();
  EXPECT_EQ(all.out, "3 of 3 nodes are in the world\n");
  EXPECT_TRUE(cluster.responds("n3"));
}

TEST_F(ManyMachines, PlantedLinksAreRefused) {
  NamespaceCluster cluster({.nodes = 2});
  const std::string place = cluster.disk_of("n2") + "/spool/n2";
  std::filesystem::create_directories(place);
  std::filesystem::create_directory(cluster.path("elsewhere"));
  std::filesystem::create_directory_symlink(cluster.path("elsewhere"), place + "/mpi");
  CommandResult up = cluster.up();
  EXPECT_EQ(up.exit_code, 0) << up.text();
  EXPECT_THAT(up.err, HasSubstr("n2 absent: cannot be used: " + cluster.directory() +
                                "/spool/n2/mpi is a symbolic link"));
  cluster.must_down();
  const std::string down = cluster.run({"hyades", "status"}).out;
  EXPECT_THAT(down, HasSubstr("n2           not running\n"));
  EXPECT_THAT(down, Not(HasSubstr("asked again")));
  std::filesystem::remove(place + "/mpi");
  const std::string scratch = cluster.directory() + "/run/mpi";
  std::filesystem::remove_all(scratch);
  std::filesystem::create_directory_symlink(cluster.path("elsewhere"), scratch);
  up = cluster.up();
  EXPECT_EQ(up.exit_code, 1) << up.text();
  EXPECT_THAT(up.err, HasSubstr(scratch + " is a symbolic link"));
  EXPECT_TRUE(std::filesystem::is_empty(cluster.path("elsewhere")));
  std::filesystem::remove(scratch);
}

// What is wrong with a machine is said, with the way out, and the others start without it.
TEST_F(ManyMachines, AMachineThatCannotBeANodeSaysWhy) {
  NamespaceCluster cluster({.nodes = 2});
  const std::string spool = cluster.disk_of("n2") + "/spool";
  std::filesystem::create_directories(spool + "/n2");
  chmod((spool + "/n2").c_str(), 0777);
  const CommandResult up = cluster.up();
  EXPECT_EQ(up.exit_code, 0) << up.text();
  EXPECT_THAT(up.err, HasSubstr("n2 absent: cannot be used: " + cluster.directory() +
                                "/spool/n2 may be used by others"));
  chmod((spool + "/n2").c_str(), 0700);
  EXPECT_EQ(cluster.run({"hctl", "node", "rejoin", "n2"}).exit_code, 0);
}

// One that answers and still cannot be started must not keep the others from work.
TEST_F(ManyMachines, AMachineThatDoesNotStartIsLeftOut) {
  NamespaceCluster cluster({.nodes = 2});
  const std::string agent = cluster.write_script(
      "agent", "case \"$1:$2\" in n2:*' start '*) [ -e " + cluster.path("good") +
                   " ] || { echo no way >&2; exit 3; } ;; esac\nexec " + program("cluster_node") +
                   " shell \"$@\"");
  const CommandResult up =
      cluster.run({"hyades", "up", "--hostfile", cluster.hostfile(), "--launch-agent", agent},
                  {.timeout_ms = 90'000});
  EXPECT_EQ(up.exit_code, 0) << up.text() << cluster.log();
  EXPECT_TRUE(cluster.responds("n1"));
  EXPECT_THAT(cluster.run({"hyades", "status"}).out, HasSubstr("n2           absent: "));
  EXPECT_THAT(cluster.run({"hyades", "status"}).out, HasSubstr("no way"));
  cluster.write_file("good", "");
  EXPECT_EQ(cluster.run({"hctl", "node", "rejoin", "n2"}).exit_code, 0) << cluster.log();
}

// Open MPI's daemon on it cannot talk to ours: nobody comes up until it is left out.
TEST_F(ManyMachines, AMachineThatCannotConnectBackIsLeftOut) {
  NamespaceCluster cluster({.nodes = 2});
  // A firewall: the answers of the remote shell pass, and nothing else that goes to the head.
  const std::string head = cluster.address_of("head");
  const CommandResult block =
      cluster.run_on("n2", {"sh", "-c",
                            "ip route add blackhole " + head +
                                "/32 table 7 && "
                                "ip rule add pref 10 ipproto tcp sport 7222 lookup main && "
                                "ip rule add pref 11 to " +
                                head + "/32 lookup 7"});
  ASSERT_EQ(block.exit_code, 0) << block.text();
  const CommandResult up = cluster.up();
  EXPECT_EQ(up.exit_code, 0) << up.text() << cluster.log();
  EXPECT_TRUE(cluster.responds("n1"));
  EXPECT_THAT(cluster.run({"hyades", "status"}).out,
              HasSubstr("n2           absent: was started, but Open MPI there does not reach"));
}

TEST_F(ManyMachines, OneMachineUnderTwoNamesIsOneNode) {
  NamespaceCluster cluster({.nodes = 2, .node_names = "n[1-2],n9"});
  cluster.write_file("hostfile", "n1\nn2\nn9 address=" + cluster.address_of("n1") + "\n");
  const CommandResult up = cluster.up();
  EXPECT_EQ(up.exit_code, 0) << up.text() << cluster.log();
  EXPECT_THAT(up.err, HasSubstr("n9 absent: is the same machine as n1; name each machine once"));
  EXPECT_TRUE(cluster.responds("n1"));
  EXPECT_TRUE(cluster.responds("n2"));
  EXPECT_EQ(cluster.processes("n1", "/hyadesd ").size(), 1u);
}

TEST_F(ManyMachines, WithoutAnyHostItDoesNotStart) {
  NamespaceCluster cluster({.nodes = 1});
  cluster.power_off("n1");
  const CommandResult up = cluster.up();
  EXPECT_EQ(up.exit_code, 1) << up.text();
  EXPECT_THAT(up.err, HasSubstr("none of its hosts can be used"));
  EXPECT_THAT(up.out, Not(HasSubstr("New, empty cluster")));
  EXPECT_EQ(cluster.status().value("state", ""), "down");
}

// In the foreground, as systemd has it, the master serves people while no node is there yet.
TEST_F(ManyMachines, InTheForegroundItWaitsForHosts) {
  NamespaceCluster cluster({.nodes = 1});
  cluster.power_off("n1");
  const auto supervisor =
      cluster.start({"hyades", "up", "--foreground", "--hostfile", cluster.hostfile(),
                     "--launch-agent", program("cluster_node") + " shell"});
  EXPECT_TRUE(wait_until([&] { return cluster.status().contains("jobs_pending"); }))
      << cluster.log();
  const JobId id = cluster.must_wrap("true", {"-o", "/dev/null"});
  EXPECT_EQ(cluster.state_of(id), "PENDING");
  cluster.power_on("n1");
  EXPECT_EQ(cluster.run({"hctl", "node", "rejoin"}).exit_code, 0) << cluster.log();
  EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED");
  cluster.must_down();
}

// One of the nodes is the master's own host, and one has a name that nobody can resolve.
TEST_F(ManyMachines, TheHeadMayBeANodeAndNamesNeedNotResolve) {
  NamespaceCluster cluster({.nodes = 1, .node_names = "head,far.example"});
  cluster.write_file("hostfile", "far.example address=" + cluster.address_of("n1") + "\nhead\n");
  const CommandResult up = cluster.up();
  ASSERT_EQ(up.exit_code, 0) << up.text() << cluster.log();
  for (const auto& [node, host] : {std::pair{"far.example", "n1"}, std::pair{"head", "head"}}) {
    const JobId id = cluster.must_wrap("hostname", {"-w", node, "-o", "where"});
    EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED");
    EXPECT_EQ(cluster.read_file("where"), std::string(host) + "\n");
  }
  // Of a worker here the death is seen at once.
  const pid_t mpirun = cluster.pid_of("mpirun_pid");
  const pid_t worker = cluster.worker_pid("head");
  EXPECT_EQ(cluster.run_on("head", {"kill", "-9", std::to_string(worker)}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return cluster.pid_of("mpirun_pid") != mpirun; }, 4000));
  EXPECT_TRUE(cluster.wait_until_responding({"head", "far.example"})) << cluster.log();
}

TEST_F(ManyMachines, WithoutASupervisorDownStillEndsEverything) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId id = submit_gate(cluster, "n1");
  cluster.must_kill("head", "hyades up");
  cluster.must_down();
  for (const std::string& node : cluster.nodes()) {
    EXPECT_TRUE(cluster.processes(node, "orted").empty()) << node;
    EXPECT_TRUE(cluster.processes(node, "/hyadesd ").empty()) << node;
  }
  cluster.must_up();
  expect_untouched(cluster, id, "n1");
}

// Kills processes of a machine; the jobs go on, and everybody is back after a while.
void kill_and_recover(const std::string& machine, const std::string& what) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId first = submit_gate(cluster, "n1");
  const JobId second = submit_gate(cluster, "n2");
  const std::vector<pid_t> before = cluster.processes(machine, what);
  cluster.must_kill(machine, what);
  EXPECT_TRUE(wait_until([&] {
    const std::vector<pid_t> now = cluster.processes(machine, what);
    return !now.empty() && now != before;
  })) << what
      << " does not come back" << cluster.log();
  EXPECT_TRUE(cluster.wait_until_responding({"n1", "n2"})) << cluster.log();
  // What dies elsewhere takes nothing here with it.
  if (machine != "head") {
    EXPECT_THAT(cluster.log(), Not(HasSubstr("has ended")));
  }
  expect_untouched(cluster, first, "n1");
  expect_untouched(cluster, second, "n2");
}

TEST_F(ManyMachines, AKilledWorkerComesBack) { kill_and_recover("n2", "/hyadesd "); }
TEST_F(ManyMachines, AKilledOrtedComesBack) { kill_and_recover("n2", "orted"); }
TEST_F(ManyMachines, AKilledMpirunComesBack) { kill_and_recover("head", "mpirun"); }
TEST_F(ManyMachines, AKilledMasterComesBack) { kill_and_recover("head", "hyadesd --dir"); }

TEST_F(ManyMachines, AKilledSupervisorIsSucceeded) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId id = submit_gate(cluster, "n2");
  const pid_t mpirun = cluster.pid_of("mpirun_pid");
  cluster.must_kill("head", "hyades up");
  const CommandResult up = cluster.up();
  ASSERT_EQ(up.exit_code, 0) << up.text();
  EXPECT_EQ(cluster.pid_of("mpirun_pid"), mpirun) << "the world has done nothing wrong";
  cluster.must_kill("n2", "/hyadesd ");
  EXPECT_TRUE(wait_until([&] { return cluster.pid_of("mpirun_pid") != mpirun; }));
  EXPECT_TRUE(cluster.wait_until_responding({"n1", "n2"})) << cluster.log();
  expect_untouched(cluster, id, "n2");
}

TEST_F(ManyMachines, ACutOfTenSecondsChangesNothing) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const pid_t mpirun = cluster.pid_of("mpirun_pid");
  const JobId id = submit_gate(cluster, "n2");
  cluster.cut("n2");
  // The length of the fault, not a wait for something.
  poll(nullptr, 0, 10'000);
  EXPECT_FALSE(cluster.responds("n2"));
  EXPECT_TRUE(cluster.responds("n1"));
  cluster.mend("n2");
  EXPECT_TRUE(cluster.wait_until_responding({"n1", "n2"})) << cluster.log();
  EXPECT_EQ(cluster.pid_of("mpirun_pid"), mpirun) << cluster.log();
  expect_untouched(cluster, id, "n2");
}

// What the node says is lost, what it is told arrives: it is silent, and nothing else.
// While its cable is out the others form a new world. What runs there belongs to the old one.
TEST_F(ManyMachines, ANodeThatMissedANewWorldIsTakenIntoIt) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId id = submit_gate(cluster, "n2");
  cluster.cut("n2");
  cluster.must_kill("head", "mpirun");
  EXPECT_TRUE(wait_until([&] { return cluster.responds("n1"); }, kPatience_ms, 100))
      << cluster.log();
  const std::vector<pid_t> old = cluster.processes("n2", "/hyadesd ");
  EXPECT_EQ(old.size(), 1u) << "it knows nothing of it";
  cluster.mend("n2");
  EXPECT_EQ(cluster.run({"hctl", "node", "rejoin"}).exit_code, 0) << cluster.log();
  const std::vector<pid_t> now = cluster.processes("n2", "/hyadesd ");
  EXPECT_EQ(now.size(), 1u);
  EXPECT_NE(now, old);
  expect_untouched(cluster, id, "n2");
}

// Frozen, it would hold the node's spool for ever.
TEST_F(ManyMachines, AWorkerThatHangsIsEndedForTheNextWorld) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const JobId id = submit_gate(cluster, "n2");
  cluster.must_kill("n2", "orted", SIGSTOP);
  cluster.must_kill("n2", "/hyadesd ", SIGSTOP);
  const pid_t mpirun = cluster.pid_of("mpirun_pid");
  cluster.must_kill("head", "mpirun");
  EXPECT_TRUE(wait_until([&] { return cluster.pid_of("mpirun_pid") != mpirun; }));
  EXPECT_TRUE(cluster.wait_until_responding({"n1", "n2"})) << cluster.log();
  EXPECT_EQ(cluster.processes("n2", "/hyadesd ").size(), 1u);
  expect_untouched(cluster, id, "n2");
}

TEST_F(ManyMachines, AOneWayCutChangesNothing) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  const pid_t mpirun = cluster.pid_of("mpirun_pid");
  const JobId id = submit_gate(cluster, "n2");
  for (const auto& [from, to] : {std::pair{"n2", "head"}, std::pair{"head", "n2"}}) {
    cluster.cut_one_way(from, to);
    EXPECT_TRUE(wait_until([&] { return !cluster.responds("n2"); }, kPatience_ms, 100));
    EXPECT_TRUE(cluster.responds("n1"));
    cluster.mend_one_way(from, to);
    EXPECT_TRUE(cluster.wait_until_responding({"n1", "n2"})) << cluster.log();
  }
  EXPECT_EQ(cluster.pid_of("mpirun_pid"), mpirun) << cluster.log();
  expect_untouched(cluster, id, "n2");
}

TEST_F(ManyMachines, ASlowLinkHoldsUpNobodyElse) {
  NamespaceCluster cluster({.nodes = 2});
  cluster.must_up();
  cluster.slow("n2", 8);
  const JobId slow = cluster.must_wrap("true", {"-w", "n2", "-o", "/dev/null"});
  for (int i = 0; i < 5; ++i) {
    const JobId id = cluster.must_wrap("true", {"-w", "n1", "-o", "/dev/null"});
    EXPECT_EQ(cluster.must_wait(id)["state"], "COMPLETED");
  }
  EXPECT_EQ(cluster.must_wait(slow)["state"], "COMPLETED");
  EXPECT_TRUE(cluster.responds("n2"));
}

TEST_F(ManyMachines, PowerOffAndReturn) {
  NamespaceCluster cluster({.nodes = 3});
  cluster.must_up();
  const JobId id = submit_gate(cluster, "n1");
  const pid_t mpirun = cluster.pid_of("mpirun_pid");
  cluster.power_off("n3");
  EXPECT_TRUE(wait_until([&] { return host_state(cluster, "n3") == "absent"; }, kPatience_ms, 100))
      << cluster.status().dump(2);
  EXPECT_EQ(cluster.pid_of("mpirun_pid"), mpirun) << "the others have lost nothing";
  // As with one that was absent at the start.
  const CommandResult status = cluster.run({"hyades", "status"});
  EXPECT_EQ(status.exit_code, 0) << status.text();
  EXPECT_THAT(status.out, HasSubstr("cluster      up\n"));
  EXPECT_THAT(status.out, HasSubstr("n3           not responding: "));
  EXPECT_TRUE(cluster.responds("n1"));
  EXPECT_TRUE(cluster.responds("n2"));
  cluster.power_on("n3");
  EXPECT_TRUE(cluster.wait_until_responding({"n1", "n2", "n3"})) << cluster.log();
  EXPECT_EQ(cluster.must_wait(cluster.must_wrap("true", {"-w", "n3"}))["state"], "COMPLETED");
  expect_untouched(cluster, id, "n1");
}

}  // namespace
}  // namespace hyades::test
