// Jobs in control groups, with whatever this machine has.
#include "worker/containment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <fstream>

#include "node_box.hpp"
#include "test_users.hpp"
#include "worker/cgroup_mounts.hpp"
#include "worker/process_table.hpp"

namespace hyades {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Every group of the cluster that is still there, in any hierarchy.
std::vector<std::string> groups_of(const std::string& cluster_id) {
  const CgroupMounts mounts =
      parse_cgroup_mounts(read_text("/proc/self/mountinfo"), read_text("/proc/self/cgroup"));
  std::vector<std::string> bases = {mounts.v2};
  for (const auto& [controller, base] : mounts.v1) bases.push_back(base);
  std::vector<std::string> found;
  for (const std::string& base : bases) {
    std::error_code absent;
    for (const auto& entry :
         std::filesystem::directory_iterator(base + "/hyades/" + cluster_id, absent)) {
      if (entry.is_directory()) found.push_back(entry.path());
    }
  }
  return found;
}

// With each of the ways to use control groups: "" is whatever is there.
class Contained : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root may make control groups here";
    test_users();
    setenv("HYADES_CGROUPS", GetParam(), 1);
    box_ = std::make_unique<NodeBox>();
    unsetenv("HYADES_CGROUPS");
    offered_ = box_->spawner->containment();
    if (offered_ == "no control groups") GTEST_SKIP() << "this machine has none of these";
    chmod(box_->root.path().c_str(), 01777);
  }
  void TearDown() override {
    if (box_) {
      EXPECT_EQ(groups_of(box_->cluster_id), std::vector<std::string>());
    }
  }
  bool has(const char* controller) const { return contains(offered_, controller); }
  LaunchOrder order_of_a_user(const std::string& script) {
    LaunchOrder order = box_->order(script);
    become(order, test_users().ada);
    return order;
  }

  std::unique_ptr<NodeBox> box_;
  std::string offered_;
};

INSTANTIATE_TEST_SUITE_P(Trees, Contained, testing::Values("", "v1", "v2"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           const std::string name = info.param;
                           return name.empty() ? "Any" : name;
                         });

// Waits for "go" between two looks at what it may run on.
constexpr const char* kLooksTwice =
    "#!/bin/sh\ngrep Cpus_allowed_list /proc/self/status\ntouch looked\n"
    "while ! test -e go; do sleep 0.01; done\ngrep Cpus_allowed_list /proc/self/status\n";

class Lent : public Contained {
 protected:
  void SetUp() override {
    Contained::SetUp();
    if (IsSkipped()) return;
    if (!has("cpuset")) GTEST_SKIP() << "cannot limit cores";
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "only one processor";
    SpawnerConfig config{.cluster_id = box_->cluster_id,
                         .cpus_for = [](const IdSet& cores) { return cores.members(); }};
    box_->spawner = std::make_unique<LauncherSpawner>(config, *box_->spool, *box_->launcher);
  }
  // What it may run on before and after it is told to use these cores.
  std::string looks(int elastic, const IdSet& cores) {
    LaunchOrder order = box_->order(kLooksTwice);
    order.spec.elastic = elastic;
    EXPECT_EQ(box_->spool->claim(order.key), ClaimResult::Claimed);
    EXPECT_TRUE(box_->spawner->start(order));
    EXPECT_TRUE(wait_until([&] { return access((box_->root / "looked").c_str(), F_OK) == 0; }));
    const auto record = box_->spool->look(order.key);
    EXPECT_EQ(record->cores.to_string(), "0");
    EXPECT_EQ(record->elastic, elastic);
    box_->spawner->set_cores(order.key, cores);
    // It is carried out before what is asked for later.
    LaunchOrder next = box_->order("#!/bin/sh\ntouch go\n");
    next.payload.stdout_path = "other";
    EXPECT_EQ(box_->run(next).exit_code, 0);
    EXPECT_TRUE(wait_until([&] { return box_->spool->look(order.key)->exit.has_value(); }));
    std::string text = read_text(box_->root / "out");
    std::erase_if(text, [](char c) { return std::isspace(static_cast<unsigned char>(c)); });
    return text;
  }
};

INSTANTIATE_TEST_SUITE_P(Trees, Lent, testing::Values("", "v1", "v2"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           const std::string name = info.param;
                           return name.empty() ? "Any" : name;
                         });

TEST_P(Lent, AJobUsesTheCoresThatItIsLent) {
  EXPECT_EQ(looks(8, IdSet::first(2)), "Cpus_allowed_list:0Cpus_allowed_list:0-1");
  EXPECT_EQ(box_->spawner->fixed_cores(), "");
}

TEST_P(Lent, OfAGroupThatIsGoneNobodyHears) {
  box_->spawner->set_cores({1, 1, 1}, IdSet::first(1));
  EXPECT_EQ(box_->run(box_->order("#!/bin/sh\ntrue\n")).exit_code, 0);
  EXPECT_EQ(box_->spawner->fixed_cores(), "");
}

TEST_P(Lent, WhatTheKernelRefusesIsTold) {
  IdSet far;
  far.insert(4000);
  EXPECT_EQ(looks(8, far), "Cpus_allowed_list:0Cpus_allowed_list:0");
  EXPECT_TRUE(wait_until([&] {
    box_->launcher->alive();
    return contains(box_->spawner->fixed_cores(), "cannot set");
  })) << box_->spawner->fixed_cores();
}

TEST_P(Contained, AJobHasAGroupOfItsOwnAndTheShepherdHasNot) {
  LaunchOrder order = box_->order("#!/bin/sh\ncat /proc/self/cgroup\n");
  order.spec.memory_per_node_mib = 100;
  EXPECT_EQ(box_->run(order).exit_code, 0);
  const std::string group = "/hyades/" + box_->cluster_id + '/' + to_string(order.key) + '\n';
  const std::string groups = box_->output();
  EXPECT_TRUE(contains(groups, group)) << groups;
  const std::size_t memory = groups.find(":memory:");
  if (has("memory") && memory != groups.npos) {
    EXPECT_TRUE(contains(groups.substr(memory, groups.find('\n', memory) - memory + 1), group));
  }
  const StartedLine started = *box_->content(order.key).started;
  EXPECT_EQ(started.contained, offered_);
  LaunchOrder second = box_->order("#!/bin/sh\ncat /proc/$PPID/cgroup\n");
  box_->run(second);
  EXPECT_EQ(box_->output(), read_text("/proc/self/cgroup"));
}

TEST_P(Contained, NothingIsLeftBehind) {
  const ExitRecord exit = box_->run_script(
      "#!/bin/bash\n"
      "nohup sleep 1000 > /dev/null 2>&1 &\n"
      "(setsid bash -c '(exec 0<&- 1>&- 2>&-; touch here; setsid env -i /bin/sleep 1000 &) &' &)\n"
      "until test -e here; do sleep 0.01; done\nexit 7\n");
  EXPECT_EQ(exit.exit_code, 7);
  EXPECT_GE(exit.left_behind, 1);
}

TEST_P(Contained, AForkBombStaysWithinItsLimit) {
  NodeSettings settings;
  settings.allow_root_jobs = true;
  settings.processes_per_core = 50;
  box_->spawner->configure(settings);
  // The bombs of what cannot limit processes are limited by the user's own limit.
  const std::string own_limit = has("pids") ? "" : "ulimit -u 100\n";
  LaunchOrder order =
      order_of_a_user("#!/bin/bash\n" + own_limit +
                      "mkfifo wait; exec 9<>wait\nbomb() { bomb | bomb & }\nbomb 2> /dev/null\n"
                      "read -t 0.5 -u 9; exit 2\n");  // cannot fork any more
  box_->start(order);
  const SpoolRecord record = box_->wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_GT(record.exit->left_behind, 0);
  if (has("pids")) {
    EXPECT_LE(record.exit->left_behind, 100);  // counted while they die and fork
  }
  for (const Process& process : read_processes()) {
    struct stat info = {};
    const std::string path = "/proc/" + std::to_string(process.pid);
    EXPECT_FALSE(stat(path.c_str(), &info) == 0 && info.st_uid == test_users().ada.uid &&
                 !process.zombie);
  }
}

constexpr const char* greedy = "#!/bin/sh\nhead -c 300M /dev/zero | tail -n 1 | wc -c\nexit 3\n";

TEST_P(Contained, WhoTakesMoreMemoryThanAskedForIsTold) {
  if (!has("memory")) GTEST_SKIP() << "cannot limit memory";
  LaunchOrder order = box_->order(greedy);
  order.spec.memory_per_node_mib = 100;  // what the share has
  const ExitRecord exit = box_->run(order);
  EXPECT_TRUE(exit.out_of_memory);
  EXPECT_EQ(exit.exit_code, 3);  // the script itself went on
  EXPECT_GE(exit.usage.max_rss_kib, 90 * 1024);
  EXPECT_LE(exit.usage.max_rss_kib, 100 * 1024);
}

TEST_P(Contained, MemoryIsNotLimitedWhereNobodyAskedFor) {
  LaunchOrder order = box_->order(greedy);
  const ExitRecord exit = box_->run(order);
  EXPECT_FALSE(exit.out_of_memory);
  EXPECT_EQ(box_->output(), std::to_string(300 << 20) + "\n");
  NodeSettings settings;
  settings.allow_root_jobs = true;
  settings.contain_memory = false;
  box_->spawner->configure(settings);
  order = box_->order(greedy);
  order.spec.memory_per_node_mib = 100;
  EXPECT_FALSE(box_->run(order).out_of_memory);
}

// The node is not to blame, and must not be drained for it.
TEST_P(Contained, TooLittleToStartIsTheJobsFault) {
  if (!has("memory")) GTEST_SKIP() << "cannot limit memory";
  LaunchOrder order =
      box_->order("#!/bin/bash\nhead -c 5M /dev/zero | tail -n 1 | wc -c\nsleep 0\n");
  order.spec.memory_per_node_mib = 1;
  order.placement.shares[0].memory_mib = 1;
  box_->start(order);
  const SpoolRecord record = box_->wait_for_end(order.key);
  ASSERT_TRUE(record.exit) << record.refusal;
  EXPECT_TRUE(record.exit->out_of_memory);
}

TEST_P(Contained, CoresCannotBeLeft) {
  if (!has("cpuset")) GTEST_SKIP() << "cannot limit cores";
  setenv("HYADES_CGROUPS", GetParam(), 1);
  SpawnerConfig config{.cluster_id = box_->cluster_id,
                       .cpus_for = [](const IdSet&) { return std::vector<int>{0}; }};
  box_->spawner = std::make_unique<LauncherSpawner>(config, *box_->spool, *box_->launcher);
  const char* const script =
      "#!/bin/sh\ntaskset -p ffff $$ > /dev/null; grep Cpus_allowed_list /proc/self/status\n";
  box_->run_script(script);
  EXPECT_EQ(box_->output(), "Cpus_allowed_list:\t0\n");
  // A core that the machine does not have is this node's mistake.
  config.cpus_for = [](const IdSet&) { return std::vector<int>{4000}; };
  box_->spawner = std::make_unique<LauncherSpawner>(config, *box_->spool, *box_->launcher);
  unsetenv("HYADES_CGROUPS");
  const LaunchOrder order = box_->order(script);
  box_->start(order);
  const SpoolRecord record = box_->wait_for_end(order.key);
  EXPECT_TRUE(record.refusal.starts_with("cannot set the limit")) << record.refusal;
}

TEST_P(Contained, ForbiddenDevicesCannotBeOpened) {
  if (!has("devices")) GTEST_SKIP() << "cannot forbid devices";
  LaunchRecord record =
      box_->plain_record("#!/bin/sh\nhead -c 1 /dev/full | wc -c; head -c 1 /dev/zero | wc -c\n");
  record.cluster_id = box_->cluster_id;
  record.forbidden_devices = {"/dev/full", "/dev/not-there"};
  box_->start(record);
  EXPECT_TRUE(box_->wait_for_end(record.key).exit);
  EXPECT_TRUE(contains(box_->output(), "Operation not permitted\n0\n1\n")) << box_->output();
}

// Files of devices that do no harm, somewhere else.
class Devices {
 public:
  explicit Devices(const std::string& directory) : directory_(directory) {}

  void make(const std::string& name, mode_t type, unsigned major, unsigned minor) const {
    ASSERT_EQ(mknod((directory_ + '/' + name).c_str(), type | 0666, makedev(major, minor)), 0);
    ASSERT_EQ(chmod((directory_ + '/' + name).c_str(), 0666), 0);
  }

 private:
  std::string directory_;
};

// What a job finds when it opens them, each on a line.
constexpr const char* opens =
    "#!/bin/bash\nfor file in gpu0 gpu1 gpu2 other0 /dev/null; do\n"
    "  if test -e $file && : 2> /dev/null < $file; then echo $file; fi\ndone\nexit 0\n";

TEST_P(Contained, DevicesOfOthersCannotBeOpened) {
  if (!has("devices")) GTEST_SKIP() << "cannot forbid devices";
  const Devices devices(box_->root.path());
  devices.make("gpu0", S_IFCHR, 1, 7);                  // full
  devices.make("gpu1", S_IFCHR, 1, 5);                  // zero
  devices.make("gpu3", S_IFBLK, 1, 3);                  // null's number, but of a block device
  symlink("/dev/null", (box_->root / "gpu2").c_str());  // is not followed
  symlink("gpu1", (box_->root / "other0").c_str());
  NodeSettings settings;
  settings.device_files = {{"gpu", {box_->root / "gpu%d"}}, {"fpga", {box_->root / "fpga%d"}}};
  box_->spawner->configure(settings);
  LaunchOrder order = order_of_a_user(opens);
  order.payload.stdout_path = "none";
  EXPECT_EQ(box_->run(order).launch_error, "");
  EXPECT_EQ(box_->output("none"), "gpu2\n/dev/null\n");
  order = order_of_a_user(opens);
  order.payload.stdout_path = "second";
  order.placement.shares[0].devices = {{"gpu", {}}};
  order.placement.shares[0].devices[0].ids.insert(1);
  EXPECT_EQ(box_->run(order).launch_error, "");
  EXPECT_EQ(box_->output("second"), "gpu1\ngpu2\nother0\n/dev/null\n");
}

TEST_P(Contained, NoDeviceIsForbiddenWhereNoneHasFiles) {
  const Devices devices(box_->root.path());
  devices.make("gpu0", S_IFCHR, 1, 7);
  LaunchOrder order = order_of_a_user(opens);
  order.payload.stdout_path = "all";
  EXPECT_EQ(box_->run(order).launch_error, "");
  EXPECT_EQ(box_->output("all"), "gpu0\n/dev/null\n");
}

TEST_P(Contained, ADeviceThatIsGrantedByAnotherNameIsNotForbidden) {
  if (!has("devices")) GTEST_SKIP() << "cannot forbid devices";
  const Devices devices(box_->root.path());
  devices.make("gpu0", S_IFCHR, 1, 7);
  devices.make("gpu1", S_IFCHR, 1, 5);
  NodeSettings settings;
  settings.device_files = {{"gpu", {box_->root / "gpu%d"}}, {"shard", {box_->root / "gpu%d"}}};
  box_->spawner->configure(settings);
  LaunchOrder order = order_of_a_user(opens);
  order.payload.stdout_path = "mine";
  order.placement.shares[0].devices = {{"shard", IdSet::first(1)}};
  EXPECT_EQ(box_->run(order).launch_error, "");
  EXPECT_EQ(box_->output("mine"), "gpu0\n/dev/null\n");
}

// As root, who may make device files: the numbers count, not the names.
TEST_P(Contained, AForbiddenDeviceHasNoOtherName) {
  if (!has("devices")) GTEST_SKIP() << "cannot forbid devices";
  LaunchRecord record = box_->plain_record(
      "#!/bin/sh\nmknod mine c 1 7 2> /dev/null && echo made\nmknod other c 1 5 && echo other\n");
  record.cluster_id = box_->cluster_id;
  record.forbidden_devices = {"/dev/full"};
  box_->start(record);
  EXPECT_TRUE(box_->wait_for_end(record.key).exit);
  EXPECT_EQ(box_->output(), "other\n");
}

// Out of the session, without the mark, and without its parent: only the group knows it.
TEST_P(Contained, ASweepFindsWhatHasLostEveryMark) {
  const LaunchOrder order = box_->order(
      "#!/bin/bash\n(setsid env -i /bin/bash -c 'echo $$ > stray; exec sleep 1000' &)\n"
      "until test -s stray; do sleep 0.01; done; touch here; sleep 1000\n");
  box_->start(order);
  box_->wait_for_file("here");
  const pid_t stray = std::stoi(box_->output("stray"));
  ASSERT_TRUE(is_alive(stray));
  ASSERT_EQ(kill(box_->content(order.key).started->shepherd_pid, SIGKILL), 0);
  EXPECT_FALSE(box_->wait_for_end(order.key).exit);
  EXPECT_TRUE(wait_until([&] { return box_->spawner->sweep(order.key); }));
  EXPECT_FALSE(is_alive(stray));
}

TEST_P(Contained, AUserCannotLeaveTheGroup) {
  const std::string unified =
      parse_cgroup_mounts(read_text("/proc/self/mountinfo"), read_text("/proc/self/cgroup")).v2;
  LaunchOrder order = order_of_a_user(
      "#!/bin/bash\nfor procs in /sys/fs/cgroup/*/cgroup.procs " + unified +
      "/cgroup.procs; do\n  (echo $BASHPID > $procs) 2> /dev/null && echo left $procs\ndone\n"
      "mkdir " +
      unified + "/mine 2> /dev/null && echo made\nexit 4\n");
  EXPECT_EQ(box_->run(order).exit_code, 4);
  EXPECT_EQ(box_->output(), "");
}

TEST_P(Contained, TimeOfAllProcessesIsCounted) {
  // The shell never learns of its children's ends, so they are waited for by nobody.
  const ExitRecord exit = box_->run_script(
      "#!/bin/bash\ntrap '' CHLD\n(for ((n = 0; n < 300000; ++n)); do :; done) & wait\n");
  EXPECT_GT(exit.usage.user_ms + exit.usage.system_ms, 50);
}

TEST_P(Contained, AGroupGoesWithALaunchThatFails) {
  LaunchOrder order = box_->order("#!/bin/sh\n");
  order.payload.working_directory = "/does/not/exist";
  EXPECT_NE(box_->run(order).launch_error, "");
  order = box_->order("#!/no/such/shell\n");
  EXPECT_NE(box_->run(order).launch_error, "");
}

TEST_P(Contained, EmptyGroupsGoWithTheLauncher) {
  box_->run_script("#!/bin/sh\n");
  const pid_t launcher = box_->launcher->pid();
  box_->launcher.reset();
  EXPECT_TRUE(wait_until([&] { return !is_alive(launcher); }));
  const CgroupMounts mounts =
      parse_cgroup_mounts(read_text("/proc/self/mountinfo"), read_text("/proc/self/cgroup"));
  EXPECT_FALSE(std::filesystem::exists(mounts.v2 + "/hyades/" + box_->cluster_id));
  for (const auto& [controller, base] : mounts.v1) {
    EXPECT_FALSE(std::filesystem::exists(base + "/hyades/" + box_->cluster_id)) << controller;
  }
  box_->spool.reset();
  box_->start_launcher();
  box_->start_worker();
}

// Never judged: many jobs at once, with all limits that there are and without any group.
TEST(ContainmentCost, IsPrinted) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may make control groups here";
  constexpr int jobs = 300;
  for (const char* use : {"off", "v2", "v1", ""}) {
    setenv("HYADES_CGROUPS", use, 1);
    NodeBox box;
    unsetenv("HYADES_CGROUPS");
    const auto begin = std::chrono::steady_clock::now();
    std::vector<LaunchKey> keys;
    for (int i = 0; i < jobs; ++i) {
      LaunchOrder order = box.order("#!/bin/sh\n");
      order.spec.memory_per_node_mib = 100;
      box.start(order);
      keys.push_back(order.key);
    }
    for (const LaunchKey& key : keys) box.wait_for_end(key);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    std::cout << "[     COST ] " << took.count() / jobs << " ms a job with "
              << box.spawner->containment() << "\n";
  }
}

TEST(NotContained, WithoutGroupsJobsRunAsWell) {
  setenv("HYADES_CGROUPS", "off", 1);
  NodeBox box;
  unsetenv("HYADES_CGROUPS");
  EXPECT_EQ(box.spawner->containment(), "no control groups");
  LaunchOrder order = box.order("#!/bin/sh\ncat /proc/self/cgroup; sleep 1000 & exit 5\n");
  order.spec.memory_per_node_mib = 100;
  const ExitRecord exit = box.run(order);
  EXPECT_EQ(exit.exit_code, 5);
  EXPECT_EQ(exit.left_behind, 1);
  EXPECT_FALSE(contains(box.output(), "/hyades/"));
  EXPECT_EQ(box.content(order.key).started->contained, "");
}

}  // namespace
}  // namespace hyades
