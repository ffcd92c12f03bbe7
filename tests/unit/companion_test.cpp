// The parts of a job on several nodes: what the batch part finds beside its script, and companions
// on the other nodes, with a program of ours in place of the step daemon.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>

#include "node_box.hpp"

namespace hyades {
namespace {

class Companion : public testing::Test {
 protected:
  // A companion whose step program is this shell script. It knows its own directory as $BOX.
  LaunchRecord companion(const std::string& text) {
    const std::string program = box_.root / "stepd";
    std::ofstream(program) << "#!/bin/bash\n" << text;
    EXPECT_EQ(chmod(program.c_str(), 0755), 0);
    LaunchRecord record = box_.plain_record("");
    record.working_directory = "/nowhere";
    record.stdout_path = "/nowhere/out";
    record.environment.push_back("BOX=" + box_.root.path());
    record.companion = true;
    record.step_program = program;
    record.step_key = "0123456789abcdef0123456789abcdef";
    return record;
  }
  int port_of(const LaunchKey& key) { return box_.wait_for_start(key).step_port; }
  ExitRecord stop(const LaunchKey& key) {
    box_.spawner->stop(key, StopReason::Cancelled, 1);
    return box_.wait_for_end(key).exit.value_or(ExitRecord{});
  }

  NodeBox box_;
};

UniqueFd connect_to(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* plain = reinterpret_cast<const sockaddr*>(&address);
  if (connect(client.get(), plain, sizeof address) != 0) return UniqueFd();
  return client;
}

constexpr const char* until_stopped = "touch $BOX/here; while :; do sleep 0.1; done\n";

TEST_F(Companion, ListensBeforeItsStartIsTold) {
  const LaunchRecord record = companion(until_stopped);
  box_.start(record);
  const int port = port_of(record.key);
  EXPECT_GT(port, 0);
  EXPECT_TRUE(connect_to(port));
  EXPECT_EQ(stop(record.key).stopped, StopReason::Cancelled);
  EXPECT_FALSE(connect_to(port));
}

TEST_F(Companion, HasItsSocketAndNothingElse) {
  const LaunchRecord record = companion(
      "ls /proc/$$/fd > $BOX/numbers; readlink /proc/$$/fd/{0,1,2,3} > $BOX/fds\n"
      "env > $BOX/environment; touch $BOX/here; while :; do sleep 0.1; done\n");
  box_.start(record);
  box_.wait_for_file("here");
  const std::string fds = box_.output("fds");
  EXPECT_TRUE(fds.starts_with("/dev/null\n/dev/null\n/dev/null\nsocket:")) << fds;
  // 255 is bash's own handle of its script.
  EXPECT_EQ(box_.output("numbers"), "0\n1\n2\n255\n3\n");
  EXPECT_NE(box_.output("environment").find("HYADES_STEP_KEY=" + record.step_key + "\n"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(box_.spool->script_path(record.key)));
  stop(record.key);
}

TEST_F(Companion, TheScriptsArgumentsAreNotItsOwn) {
  LaunchRecord record = companion("echo $# > $BOX/count; touch $BOX/here; sleep 98765\n");
  record.arguments = {"--epochs", "6"};
  box_.start(record);
  box_.wait_for_file("here");
  EXPECT_EQ(box_.output("count"), "0\n");
  stop(record.key);
}

TEST_F(Companion, StartsInTheRoot) {
  const LaunchRecord record = companion("pwd > $BOX/cwd; touch $BOX/here; sleep 1000\n");
  box_.start(record);
  box_.wait_for_file("here");
  EXPECT_EQ(box_.output("cwd"), "/\n");
  stop(record.key);
}

TEST_F(Companion, HasNoTimeLimitAndNoWarning) {
  LaunchRecord record =
      companion("trap 'touch $BOX/warned' USR1; touch $BOX/here; while :; do sleep 0.1; done\n");
  record.time_limit_s = 1;
  record.warning = {.signal = SIGUSR1, .seconds_before_end = 1, .batch_only = true};
  box_.start(record);
  box_.wait_for_file("here");
  // A batch script with the same limits is over by then.
  LaunchRecord batch = box_.plain_record("#!/bin/sh\nsleep 1000\n");
  batch.time_limit_s = 1;
  box_.start(batch);
  EXPECT_EQ(box_.wait_for_end(batch.key).exit->stopped, StopReason::TimeLimit);
  EXPECT_TRUE(box_.spool->look(record.key)->held);
  EXPECT_FALSE(std::filesystem::exists(box_.root / "warned"));
  stop(record.key);
}

TEST_F(Companion, AStopLeavesItsGraceToIt) {
  const LaunchRecord record = companion(
      "trap 'sleep 0.3; touch $BOX/saved; exit 5' TERM; touch $BOX/here\n"
      "while :; do sleep 0.1; done\n");
  box_.start(record);
  box_.wait_for_file("here");
  box_.spawner->stop(record.key, StopReason::Requeue, 30);
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->exit_code, 5);
  EXPECT_TRUE(std::filesystem::exists(box_.root / "saved"));
}

TEST_F(Companion, WithoutItsProgramTheReasonSaysSo) {
  LaunchRecord record = companion("");
  record.step_program = "/no/such/hyades-stepd";
  box_.start(record);
  const SpoolRecord end = box_.wait_for_end(record.key);
  ASSERT_TRUE(end.exit);
  EXPECT_TRUE(end.exit->launch_error.starts_with(
      "cannot run the step daemon /no/such/hyades-stepd: No such file or directory"))
      << end.exit->launch_error;
}

// As the order of the master says it.
TEST_F(Companion, EachFurtherShareIsOne) {
  LaunchRecord record =
      companion("echo $HYADES_STEP_KEY > $BOX/key; touch $BOX/here; sleep 1000\n");
  box_.spawner = std::make_unique<LauncherSpawner>(
      SpawnerConfig{.cluster_id = box_.cluster_id, .step_program = record.step_program},
      *box_.spool, *box_.launcher);
  LaunchOrder order = box_.order("#!/bin/sh\ntouch ran\n");
  order.payload.environment = record.environment;
  order.placement.shares.push_back(
      {.node = "vn2", .tasks = 1, .cores = IdSet::first(1), .memory_mib = 100});
  order.share = 1;
  order.step_key = record.step_key;
  box_.start(order);
  box_.wait_for_file("here");
  EXPECT_TRUE(connect_to(port_of(order.key)));
  EXPECT_EQ(box_.output("key"), record.step_key + "\n");
  EXPECT_FALSE(std::filesystem::exists(box_.root / "ran"));
  stop(order.key);
}

TEST_F(Companion, TheBatchPartFindsItsFiles) {
  LaunchRecord record = box_.plain_record(
      "#!/bin/sh\ncat $0.steps $0.hosts; stat -c %a-%u $0.steps $0.hosts; ls /proc/self/fd | wc "
      "-l\n");
  record.step_file = "key and ports\n";
  record.mpi_hostfile = "vn1 slots=2\n";
  box_.start(record);
  EXPECT_EQ(box_.wait_for_end(record.key).exit->exit_code, 0);
  const std::string mode = "600-" + std::to_string(getuid()) + "\n";
  // Three files, and the directory that ls reads.
  EXPECT_EQ(box_.output(), "key and ports\nvn1 slots=2\n" + mode + mode + "4\n");
  box_.spool->remove(record.key);
  EXPECT_TRUE(std::filesystem::is_empty(box_.root / "spool/scripts"));
}

TEST_F(Companion, AJobOnOneNodeHasNoSuchFiles) {
  box_.run_script("#!/bin/sh\nls $0.* 2> /dev/null | wc -l; env | grep -c HYADES_STEP_KEY\n");
  EXPECT_EQ(box_.output(), "0\n0\n");
}

}  // namespace
}  // namespace hyades
