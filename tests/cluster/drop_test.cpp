// Daemons that root starts and that do not stay root: [security] user.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "namespace_cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

using testing::HasSubstr;

constexpr const char* kUser = "daemon";  // there on every Debian

class DroppedPrivileges : public testing::Test {
 protected:
  void SetUp() override {
    HYADES_NEEDS_NAMESPACES();
    const passwd* const entry = getpwnam(kUser);
    if (entry == nullptr) GTEST_SKIP() << "there is no user " << kUser;
    uid_ = entry->pw_uid;
    gid_ = entry->pw_gid;
    cluster_ = std::make_unique<NamespaceCluster>(ClusterOptions{.nodes = 2});
    // As an admin would: the configuration is root's, the state directory the user's.
    config_ = cluster_->write_file(
        "hyades.toml", "[cluster]\nkill_grace_s = 2\n[security]\nuser = \"daemon\"\n", 0644);
    std::filesystem::remove_all(cluster_->directory() + "/hyades.toml");
  }
  void give_directory() {
    ASSERT_EQ(chown(cluster_->directory().c_str(), uid_, gid_), 0);
    chmod(cluster_->directory().c_str(), 0711);
  }
  CommandResult up() { return cluster_->up_with({"--config", config_}); }

  // "uid uid uid uid" and so on: real, effective, saved and of the file system.
  static std::string status_line(pid_t pid, const std::string& key) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(key + ":")) return line.substr(key.size() + 2);
    }
    return "?";
  }
  void expect_dropped(const std::string& machine) {
    const std::vector<pid_t> daemons = cluster_->processes(machine, "/hyadesd --dir");
    const std::string id = std::to_string(uid_);
    const std::string group = std::to_string(gid_);
    int seen = 0;
    for (const pid_t pid : daemons) {
      if (status_line(pid, "Name") != "hyadesd") continue;  // mpirun names it in its arguments
      ++seen;
      EXPECT_EQ(status_line(pid, "Uid"), id + "\t" + id + "\t" + id + "\t" + id);
      EXPECT_EQ(status_line(pid, "Gid"), group + "\t" + group + "\t" + group + "\t" + group);
      EXPECT_EQ(status_line(pid, "Groups"), group + " ");
      EXPECT_EQ(status_line(pid, "CapEff"), "0000000000000000");
      EXPECT_EQ(status_line(pid, "CapPrm"), "0000000000000000");
      EXPECT_EQ(status_line(pid, "NoNewPrivs"), "1");
    }
    EXPECT_EQ(seen, 1) << machine;
  }

  std::unique_ptr<NamespaceCluster> cluster_;
  std::string config_;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
};

TEST_F(DroppedPrivileges, NoDaemonIsRootAnyMore) {
  give_directory();
  const CommandResult result = up();
  ASSERT_EQ(result.exit_code, 0) << result.text() << cluster_->log();
  for (const char* machine : {"head", "n1", "n2"}) expect_dropped(machine);
  for (const std::string& node : cluster_->nodes()) {
    struct stat facts {};
    ASSERT_EQ(stat((cluster_->disk_of(node) + "/spool/" + node).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_uid, uid_);
    // What starts jobs is root still.
    const std::vector<pid_t> launchers = cluster_->processes(node, "hyades-launcher");
    ASSERT_FALSE(launchers.empty());
    EXPECT_EQ(status_line(launchers.front(), "Uid"), "0\t0\t0\t0");
    // And what mpirun writes is where only root can.
    EXPECT_EQ(cluster_->run_on(node, {"stat", "-c", "%U %a", "/run/hyades"}).out, "root 755\n");
  }
  struct stat queue {};
  ASSERT_EQ(stat((cluster_->directory() + "/queue.db").c_str(), &queue), 0);
  EXPECT_EQ(queue.st_uid, uid_);
  // Everybody may submit.
  struct stat socket {};
  ASSERT_EQ(stat((cluster_->directory() + "/run/hyades.sock").c_str(), &socket), 0);
  EXPECT_EQ(socket.st_mode & 0777, 0666u);
  EXPECT_EQ(cluster_->run({"hstat"}).exit_code, 0);
}

// Whose cluster it was is seen, and nothing else is left of it than what the next `up` needs.
TEST_F(DroppedPrivileges, DownLeavesTheDirectoryOfAClusterWithAHostFile) {
  give_directory();
  ASSERT_EQ(up().exit_code, 0) << cluster_->log();
  const CommandResult status = cluster_->run_as("alice", {"hyades", "status"});
  EXPECT_EQ(status.exit_code, 0) << status.text();
  EXPECT_THAT(status.out, HasSubstr("master       answers; its process is not visible to you\n"));
  cluster_->must_down();
  for (const char* machine : {"head", "n1", "n2"}) {
    const CommandResult left = cluster_->run_on(machine, {"ls", "-A", "/run/hyades", "/dev/shm"});
    EXPECT_EQ(left.out, "/dev/shm:\n\n/run/hyades:\n") << machine;
  }
  const CommandResult local = cluster_->run({"hyades", "up", "--local", "2"});
  EXPECT_EQ(local.exit_code, 1) << local.text();
  EXPECT_THAT(local.err, HasSubstr("is the directory of a cluster with a host file"));
  EXPECT_EQ(local.err.find("chown"), local.err.npos);
}

// The launchers, which are root still, start them as who submitted them; root's own only by the
// word of root, which the daemons have no more.
TEST_F(DroppedPrivileges, JobsRunAsTheirUsers) {
  give_directory();
  ASSERT_EQ(up().exit_code, 0) << cluster_->log();
  for (const auto& [node, user] : {std::pair{"n1", "alice"}, std::pair{"n2", "bob"}}) {
    const std::string out = std::string(user) + ".out";
    const CommandResult result = cluster_->run_as(
        user, {"hsub", "--wait", "-w", node, "-o", out, "--wrap", "id -un; id -Gn; hostname"});
    EXPECT_EQ(result.exit_code, 0) << result.text() << cluster_->log();
    EXPECT_EQ(cluster_->read_file(out), std::string(user) + "\n" + user + "\n" + node + "\n");
  }
  const Json roots = cluster_->must_wait(cluster_->must_wrap("true", {"-o", "/dev/null"}));
  EXPECT_EQ(roots["state"], "LAUNCH_FAILED") << roots.dump(2);
}

// Also one that hangs, and so cannot find out by itself that its parent is gone.
TEST_F(DroppedPrivileges, TheyStillDieWithTheirParents) {
  give_directory();
  ASSERT_EQ(up().exit_code, 0) << cluster_->log();
  const std::vector<pid_t> worker = cluster_->processes("n2", "/hyadesd --dir");
  ASSERT_EQ(worker.size(), 1u);
  kill(worker[0], SIGSTOP);
  cluster_->must_kill("n2", "orted");
  EXPECT_TRUE(wait_until([&] {
    const auto now = cluster_->processes("n2", "/hyadesd --dir");
    return std::find(now.begin(), now.end(), worker[0]) == now.end();
  }));
  EXPECT_TRUE(cluster_->wait_until_responding({"n1", "n2"})) << cluster_->log();
}

TEST_F(DroppedPrivileges, VirtualNodesDropThemToo) {
  give_directory();
  const CommandResult result =
      cluster_->run({"hyades", "up", "--local", "3", "--config", config_}, {.timeout_ms = 90'000});
  ASSERT_EQ(result.exit_code, 0) << result.text() << cluster_->log();
  int seen = 0;
  for (const pid_t pid : cluster_->processes("head", "/hyadesd --dir")) {
    if (status_line(pid, "Name") != "hyadesd") continue;
    ++seen;
    EXPECT_EQ(status_line(pid, "Uid").substr(0, 2), std::to_string(uid_) + "\t");
  }
  EXPECT_EQ(seen, 4);
}

TEST_F(DroppedPrivileges, WhatBelongsToSomebodyElseIsNotTakenOver) {
  CommandResult result = up();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(cluster_->directory() + " belongs to uid 0, but [security] " +
                                    "user has uid " + std::to_string(uid_)));
  give_directory();
  const std::string spool = cluster_->disk_of("n2") + "/spool/n2";
  std::filesystem::create_directories(spool);
  result = up();
  EXPECT_EQ(result.exit_code, 0) << result.text();
  EXPECT_THAT(result.err, HasSubstr("n2 absent: cannot be used: " + cluster_->directory() +
                                    "/spool/n2 belongs to uid 0, not to uid"));
}

TEST_F(DroppedPrivileges, ABrokenConfigurationStartsNothingAsRoot) {
  give_directory();
  std::ofstream(config_) << "[security]\nusr = \"daemon\"\n";
  const CommandResult result = up();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr(config_ + ":2: unknown key 'usr'"));
  EXPECT_TRUE(cluster_->processes("head", "mpirun").empty());
}

// The user of the daemons puts links where root's supervisor writes.
TEST_F(DroppedPrivileges, LinksInTheStateDirectoryLeadNowhere) {
  give_directory();
  const std::string elsewhere = cluster_->path("elsewhere");
  for (const char* name : {"run", "log"}) {
    std::filesystem::create_directory(elsewhere);
    std::filesystem::remove_all(cluster_->directory() + "/" + name);
    std::filesystem::create_directory_symlink(elsewhere,
                                              cluster_->directory() + "/" + std::string(name));
    EXPECT_EQ(up().exit_code, 1) << name;
    EXPECT_TRUE(std::filesystem::is_empty(elsewhere)) << name;
    std::filesystem::remove_all(elsewhere);
    std::filesystem::remove(cluster_->directory() + "/" + name);
  }
}

}  // namespace
}  // namespace hyades::test
