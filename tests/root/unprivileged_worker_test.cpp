// A worker that has given up being root, with a launcher that has not: what the launcher believes
// it, and what it does not.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <fstream>

#include "node_box.hpp"
#include "test_users.hpp"
#include "worker/boot_clock.hpp"
#include "worker/launcher_power.hpp"
#include "worker/process_table.hpp"
#include "worker/root_jobs.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// While it lives, this process is that user as far as files and signals are concerned.
class As {
 public:
  explicit As(const TestUser& user) {
    EXPECT_EQ(setegid(user.gid), 0);
    EXPECT_EQ(seteuid(user.uid), 0);
  }
  As(const As&) = delete;
  As& operator=(const As&) = delete;
  ~As() {
    EXPECT_EQ(seteuid(0), 0);
    EXPECT_EQ(setegid(0), 0);
  }
};

std::string owner_and_mode(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
  char text[64];
  std::snprintf(text, sizeof text, "%u:%u %o", info.st_uid, info.st_gid, info.st_mode & 07777);
  return text;
}

class UnprivilegedWorker : public testing::Test {
 protected:
  // bob's jobs; the daemon is ada.
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become others";
    test_users();
    chmod(root_.path().c_str(), 01777);
    make_spool();
    launcher_ = std::make_unique<LauncherHandle>(
        LauncherHandle::start_before_mpi(program_beside_me("hyades-launcher_test"), spool_path_));
    const As worker(daemon());
    spool_ = std::make_unique<DiskSpool>(spool_path_);
    spawner_ = std::make_unique<LauncherSpawner>(SpawnerConfig{.cluster_id = cluster_id_}, *spool_,
                                                 *launcher_);
  }

  // The state directory and all in it are the daemon's.
  void make_spool() {
    for (const std::string& path : {root_ / "state", spool_path_}) {
      std::filesystem::create_directory(path);
      chmod(path.c_str(), 0711);
      ASSERT_EQ(chown(path.c_str(), daemon().uid, daemon().gid), 0);
    }
  }
  static const TestUser& daemon() { return test_users().ada; }
  LaunchOrder bobs(const std::string& script) {
    LaunchOrder order = plain_order(++jobs_, root_.path(), script);
    become(order, test_users().bob);
    return order;
  }
  void start(const LaunchOrder& order) {
    const As worker(daemon());
    ASSERT_EQ(spool_->claim(order.key), ClaimResult::Claimed) << spool_->last_error();
    ASSERT_TRUE(spawner_->start(order)) << spawner_->last_error();
  }
  SpoolRecord wait_for_end(const LaunchKey& key) {
    const As worker(daemon());
    EXPECT_TRUE(wait_until([&] { return !spool_->look(key)->held; }));
    return *spool_->look(key);
  }
  bool sweep(const LaunchKey& key) {
    const As worker(daemon());
    return wait_until([&] { return spawner_->sweep(key); });
  }
  void wait_for_file(const std::string& name) {
    EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(root_ / name); })) << name;
  }
  RecordContent content(const LaunchKey& key) {
    return parse_record(read_text(spool_->record_path(key)));
  }

  TemporaryDirectory root_;
  const std::string spool_path_ = root_ / "state/spool";
  const std::string cluster_id_ = root_.unique_name();
  std::unique_ptr<LauncherHandle> launcher_;
  std::unique_ptr<DiskSpool> spool_;
  std::unique_ptr<LauncherSpawner> spawner_;
  JobId jobs_ = 0;
};

// What the worker itself could use by now is another matter; here that is nothing.
TEST_F(UnprivilegedWorker, SaysWhatItsLauncherContainsJobsBy) {
  const std::string launchers = Containment::find_as_told().describe();
  if (!Containment::find_as_told().any()) GTEST_SKIP() << "no control groups here";
  setenv("HYADES_CGROUPS", "off", 1);
  const LauncherSpawner spawner({.cluster_id = cluster_id_}, *spool_, *launcher_);
  unsetenv("HYADES_CGROUPS");
  EXPECT_EQ(spawner.containment(), launchers);
}

TEST_F(UnprivilegedWorker, RunsJobsOfOthers) {
  const LaunchOrder order = bobs("#!/bin/sh\nid -un; test -x $0 && echo mine\nexit 4\n");
  start(order);
  const SpoolRecord record = wait_for_end(order.key);
  ASSERT_TRUE(record.exit) << record.refusal;
  EXPECT_EQ(record.exit->exit_code, 4);
  EXPECT_EQ(read_text(root_ / "out"), "hyades-bob\nmine\n");
  EXPECT_TRUE(std::filesystem::is_empty(job_file_directory(spool_path_)));
  const As worker(daemon());
  spool_->remove(order.key);
  EXPECT_EQ(spool_->last_error(), "");
}

TEST_F(UnprivilegedWorker, CannotWriteWhereRootWrites) {
  EXPECT_EQ(owner_and_mode(job_file_directory(spool_path_)), "0:0 711");
  const As worker(daemon());
  EXPECT_LT(open((job_file_directory(spool_path_) + "/x").c_str(), O_WRONLY | O_CREAT, 0600), 0);
}

TEST_F(UnprivilegedWorker, HasTheLauncherSweepForIt) {
  const LaunchOrder order = bobs(
      "#!/bin/bash\n(setsid env -i /bin/bash -c 'echo $$ > stray; exec sleep 1000' &)\n"
      "sleep 1000 &\nuntil test -s stray; do sleep 0.01; done; touch here; wait\n");
  start(order);
  wait_for_file("here");
  const pid_t stray = std::stoi(read_text(root_ / "stray"));
  ASSERT_EQ(kill(content(order.key).started->shepherd_pid, SIGKILL), 0);
  EXPECT_FALSE(wait_for_end(order.key).exit);
  EXPECT_TRUE(std::filesystem::exists(script_path(spool_path_, order.key)));
  EXPECT_TRUE(sweep(order.key));
  for (const Process& process : read_processes()) {
    struct stat info = {};
    const std::string path = "/proc/" + std::to_string(process.pid);
    const bool bobs = stat(path.c_str(), &info) == 0 && info.st_uid == test_users().bob.uid;
    EXPECT_FALSE(bobs && !process.zombie) << process.pid;
  }
  EXPECT_FALSE(std::filesystem::exists(script_path(spool_path_, order.key)));
  EXPECT_FALSE(is_alive(stray));
  EXPECT_TRUE(sweep({1000, 1, 1000}));  // of which there is nothing
}

// A process of root's with a session of its own.
class Innocent {
 public:
  Innocent() : born_ms_(boot_now_ms()), pid_(fork()) {
    if (pid_ != 0) return;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) pause();
  }
  ~Innocent() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  // As if it were batch script and shepherd of a launch.
  std::string started() const {
    EXPECT_TRUE(wait_until([&] { return getsid(pid_) == pid_; }));
    return started_line({pid_, pid_, 1, born_ms_ - 1000, boot_now_ms() + 1000});
  }
  pid_t pid() const { return pid_; }

 private:
  BootMs born_ms_;
  pid_t pid_;
};

TEST_F(UnprivilegedWorker, CannotHaveRootsProcessesKilled) {
  const Innocent innocent;
  const LaunchKey forged = {1, 1, 1};
  {
    const As worker(daemon());
    ASSERT_EQ(spool_->claim(forged), ClaimResult::Claimed);
    std::ofstream(spool_->record_path(forged), std::ios::app) << innocent.started();
    // Its lock is held, as if a shepherd lived.
    spawner_->stop(forged, StopReason::Cancelled, 0);
    spawner_->signal(forged, SIGKILL, true);
    spool_->release(forged);
  }
  EXPECT_TRUE(sweep(forged));
  EXPECT_TRUE(is_alive(innocent.pid()));
}

// The same record, of root's own hand.
TEST_F(UnprivilegedWorker, ButWhatRootHasWrittenCounts) {
  const Innocent innocent;
  const LaunchKey key = {1, 1, 1};
  std::ofstream(spool_->record_path(key)) << claimed_line("boot") << innocent.started();
  EXPECT_TRUE(sweep(key));
  EXPECT_FALSE(is_alive(innocent.pid()));
}

// Whatever it puts in the place of the directory, or of one above: root writes nothing there.
TEST_F(UnprivilegedWorker, CannotMakeRootWriteSomewhereElse) {
  const std::string target = root_ / "of-root";
  std::filesystem::create_directories(target + "/spool/scripts");
  chmod(target.c_str(), 0755);
  const std::string directory = job_file_directory(spool_path_);
  const auto refusal = [&](const char* how) {
    const LaunchOrder order = bobs("#!/bin/sh\ntouch ran\n");
    start(order);
    const SpoolRecord record = wait_for_end(order.key);
    EXPECT_FALSE(std::filesystem::exists(root_ / "ran")) << how;
    EXPECT_TRUE(std::filesystem::is_empty(target + "/spool/scripts")) << how;
    return record.refusal;
  };
  {
    const As worker(daemon());
    ASSERT_EQ(rename(directory.c_str(), (spool_path_ + "/aside").c_str()), 0);
    ASSERT_EQ(symlink((target + "/spool/scripts").c_str(), directory.c_str()), 0);
  }
  EXPECT_TRUE(contains(refusal("a link"), "there is a symbolic link on the way"));
  {
    const As worker(daemon());
    ASSERT_EQ(unlink(directory.c_str()), 0);
    ASSERT_EQ(mkdir(directory.c_str(), 0755), 0);
  }
  EXPECT_TRUE(contains(refusal("its own"), "scripts belongs to uid 54321"));
  {
    const As worker(daemon());
    const std::string state = root_ / "state";
    ASSERT_EQ(rmdir(directory.c_str()), 0);
    ASSERT_EQ(rename((spool_path_ + "/aside").c_str(), directory.c_str()), 0);
    ASSERT_EQ(rename(spool_path_.c_str(), (state + "/aside").c_str()), 0);
    ASSERT_EQ(symlink((target + "/spool").c_str(), spool_path_.c_str()), 0);
    const LaunchOrder order = bobs("#!/bin/sh\ntouch ran\n");
    ASSERT_EQ(spool_->claim(order.key), ClaimResult::Claimed);
    ASSERT_TRUE(spawner_->start(order));
    EXPECT_TRUE(wait_until([&] { return !spool_->look(order.key)->held; }));
    EXPECT_TRUE(contains(spool_->look(order.key)->refusal, "symbolic link on the way"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(target + "/spool/scripts"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "ran"));
}

TEST_F(UnprivilegedWorker, ScriptsThatLostTheirRecordsGoWithTheNextLauncher) {
  const std::string script = script_path(spool_path_, {7, 1, 7});
  std::ofstream(script) << "#!/bin/sh\n";
  launcher_.reset();
  launcher_ = std::make_unique<LauncherHandle>(
      LauncherHandle::start_before_mpi(program_beside_me("hyades-launcher_test"), spool_path_));
  EXPECT_TRUE(wait_until([&] { return !std::filesystem::exists(script); }));
}

// The limits are root's, and so is the launcher.
TEST(UnprivilegedPower, IsCappedByTheLauncher) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become others";
  const TestUser& user = test_users().ada;
  const TemporaryDirectory root;
  chmod(root.path().c_str(), 0755);
  const std::string zone = root / "sys/class/powercap/intel-rapl:0/";
  std::filesystem::create_directories(zone);
  std::filesystem::create_directories(root / "run");
  std::ofstream(zone + "name") << "package-0\n";
  std::ofstream(zone + "enabled") << "1\n";
  std::ofstream(zone + "constraint_0_name") << "long_term\n";
  std::ofstream(zone + "constraint_0_power_limit_uw") << "200000000\n";
  const auto limit = [&] { return read_text(zone + "constraint_0_power_limit_uw"); };
  const pid_t worker = fork();
  if (worker == 0) {
    setenv("HYADES_TELEMETRY_ROOT", root.path().c_str(), 1);
    auto launcher =
        LauncherHandle::start_before_mpi(program_beside_me("hyades-launcher_test"), root / "spool");
    if (setresgid(user.gid, user.gid, user.gid) != 0 ||
        setresuid(user.uid, user.uid, user.uid) != 0) {
      _exit(1);
    }
    if (launcher.power_packages() != std::vector<int>{0}) _exit(2);
    LauncherPower power({{0, IdSet::first(1)}}, "", launcher);
    power.set(0, 70);
    if (!wait_until([&] { return limit().starts_with("140000000"); })) _exit(3);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, 0), worker);
  EXPECT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  EXPECT_TRUE(wait_until([&] { return limit().starts_with("200000000"); })) << limit();
}

TEST(RootJobs, AreAllowedByRootAlone) {
  EXPECT_TRUE(may_run_root_jobs(0));
  EXPECT_FALSE(may_run_root_jobs(1000));
  setenv("HYADES_ALLOW_ROOT_JOBS", "1", 1);
  EXPECT_TRUE(may_run_root_jobs(1000));
  unsetenv("HYADES_ALLOW_ROOT_JOBS");
}

// The launcher of a worker that has become another: what it is told of root's jobs does not count.
TEST(RootJobs, AreNotStartedForSuchAWorker) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become others";
  const TestUser& user = test_users().ada;
  const TemporaryDirectory root;
  chmod(root.path().c_str(), 01777);
  const std::string spool_path = root / "spool";
  std::filesystem::create_directory(spool_path);
  ASSERT_EQ(chown(spool_path.c_str(), user.uid, user.gid), 0);
  chmod(spool_path.c_str(), 0711);
  const pid_t worker = fork();
  if (worker == 0) {
    auto launcher =
        LauncherHandle::start_before_mpi(program_beside_me("hyades-launcher_test"), spool_path);
    if (setresgid(user.gid, user.gid, user.gid) != 0 ||
        setresuid(user.uid, user.uid, user.uid) != 0) {
      _exit(1);
    }
    DiskSpool spool(spool_path);
    LauncherSpawner spawner(SpawnerConfig{.cluster_id = "test"}, spool, launcher);
    LaunchOrder order = plain_order(1, root.path(), "#!/bin/sh\ntouch ran\n");
    order.spec.uid = order.spec.gid = 0;
    order.spec.user = "root";
    if (spool.claim(order.key) != ClaimResult::Claimed || !spawner.start(order)) _exit(2);
    const bool ended = wait_until([&] { return !spool.look(order.key)->held; });
    const auto exit = spool.look(order.key)->exit;
    _exit(ended && exit && contains(exit->launch_error, "jobs of root") ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, 0), worker);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(std::filesystem::exists(root / "ran"));
}

}  // namespace
}  // namespace hyades
