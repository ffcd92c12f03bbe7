// Jobs of two ordinary users, started by root: what they may be, reach and leave behind.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "node_box.hpp"
#include "test_users.hpp"
#include "worker/process_table.hpp"

namespace hyades {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Users : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can start jobs of other users";
    test_users();
    start_node();
  }
  void start_node() {
    box_ = std::make_unique<NodeBox>();
    chmod(box_->root.path().c_str(), 01777);
    settings_.no_new_privileges = true;
    box_->spawner->configure(settings_);
  }
  LaunchOrder order_of(const TestUser& user, const std::string& script) {
    LaunchOrder order = box_->order(script);
    become(order, user);
    order.payload.stdout_path = user.name + ".out";
    return order;
  }
  LaunchOrder adas(const std::string& script) { return order_of(test_users().ada, script); }
  std::string output_of(const LaunchOrder& order) {
    box_->run(order);
    return box_->output(order.payload.stdout_path);
  }
  // What became of it, when it did not start.
  SpoolRecord not_started(const LaunchOrder& order) {
    box_->start(order);
    const SpoolRecord record = box_->wait_for_end(order.key);
    EXPECT_FALSE(std::filesystem::exists(box_->root / "ran"));
    return record;
  }
  std::string path(const std::string& name) const { return box_->root / name; }

  NodeSettings settings_;
  std::unique_ptr<NodeBox> box_;
};

// ---- Who (S05, S06, S07, F44)
// --------------------------------------------------------------------

TEST_F(Users, AJobIsItsUserAndNothingMore) {
  std::ofstream(path("of-roots-group")) << "secret\n";
  chmod(path("of-roots-group").c_str(), 0640);
  const std::string out = output_of(
      adas("#!/bin/sh\nid -u; id -g; id -G\ngrep -E '^(Cap|NoNewPrivs)' /proc/self/status\n"
           "cat of-roots-group /etc/shadow; ulimit -c\n"));
  EXPECT_TRUE(out.starts_with("54321\n54321\n54321 54330\n")) << out;
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_TRUE(contains(out, std::string(set) + ":\t0000000000000000\n")) << out;
  }
  EXPECT_TRUE(contains(out, "NoNewPrivs:\t1\n")) << out;
  EXPECT_TRUE(contains(out, "of-roots-group: Permission denied")) << out;
  EXPECT_TRUE(contains(out, "shadow: Permission denied\n0\n")) << out;
}

TEST_F(Users, AGroupOfTheUsersOwnChoice) {
  LaunchOrder order = adas("#!/bin/sh\nid -g; touch made; stat -c %g made\n");
  order.spec.gid = 54330;
  EXPECT_EQ(output_of(order), "54330\n54330\n");
}

TEST_F(Users, RootsJobsOnlyWhereTheyAreWanted) {
  const LaunchOrder order = box_->order("#!/bin/sh\ntouch ran\n");
  const SpoolRecord record = not_started(order);
  ASSERT_TRUE(record.exit) << record.refusal;
  EXPECT_EQ(record.exit->launch_error, "jobs of root are not started here (allow_root_jobs)");
  settings_.allow_root_jobs = true;
  box_->spawner->configure(settings_);
  EXPECT_EQ(box_->run(box_->order("#!/bin/sh\ntest $(id -u) = 0\n")).exit_code, 0);
}

TEST_F(Users, SystemUsersHaveNoJobs) {
  LaunchOrder order = adas("#!/bin/sh\ntouch ran\n");
  order.spec.user = "daemon";
  order.spec.uid = order.spec.gid = 1;
  const SpoolRecord record = not_started(order);
  ASSERT_TRUE(record.exit) << record.refusal;
  EXPECT_EQ(record.exit->launch_error,
            "jobs of uid 1 are not started here: it is below the lowest, 1000 (min_uid)");
}

TEST_F(Users, AccountsThatDifferAreTheNodesFault) {
  const auto refusal = [this](auto change) {
    LaunchOrder order = adas("#!/bin/sh\ntouch ran\n");
    change(order.spec);
    const SpoolRecord record = not_started(order);
    EXPECT_FALSE(record.exit);
    EXPECT_EQ(record.started_ms, 0);
    return record.refusal;
  };
  EXPECT_EQ(refusal([](JobSpec& spec) { spec.uid = 60123; }),
            "this node has no user with the uid 60123, which is \"hyades-ada\" where the job was "
            "submitted");
  EXPECT_TRUE(contains(refusal([](JobSpec& spec) { spec.user = "hyades-bob"; }),
                       "the uid 54321 is not user \"hyades-bob\" on this node"));
  EXPECT_TRUE(contains(refusal([](JobSpec& spec) { spec.user = "root"; }),
                       "the uid 54321 is not user \"root\" on this node"));
  EXPECT_TRUE(contains(refusal([](JobSpec& spec) { spec.gid = 0; }),
                       "user \"hyades-ada\" is not in the group 0 on this node"));
}

TEST_F(Users, AccountsThatAreNotForLoggingInHaveNoJobs) {
  for (const TestUser& user :
       {TestUser{"hyades-daemon", 54323, 54323}, TestUser{"hyades-odd", 54324, 54324}}) {
    const SpoolRecord record = not_started(order_of(user, "#!/bin/sh\ntouch ran\n"));
    ASSERT_TRUE(record.exit) << record.refusal;
    EXPECT_TRUE(contains(record.exit->launch_error, "may not log in on this node"))
        << record.exit->launch_error;
  }
}

// Never go on as root.
TEST_F(Users, AChangeOfUserThatFailsIsTheEnd) {
  for (const char* how : {"fail", "lie"}) {
    setenv("LD_PRELOAD", HYADES_BROKEN_SETRESUID, 1);
    setenv("HYADES_TEST_SETRESUID", how, 1);
    start_node();
    unsetenv("LD_PRELOAD");
    unsetenv("HYADES_TEST_SETRESUID");
    const SpoolRecord record = not_started(adas("#!/bin/sh\ntouch ran\n"));
    ASSERT_TRUE(record.exit) << how;
    EXPECT_TRUE(
        contains(record.exit->launch_error, "cannot become user \"hyades-ada\" (uid 54321): "))
        << record.exit->launch_error;
    EXPECT_FALSE(std::filesystem::exists(path("hyades-ada.out")));
  }
}

TEST_F(Users, AUserWithTooManyProcessesStartsNoMore) {
  LaunchOrder first = adas("#!/bin/sh\ntouch here; exec sleep 1000\n");
  first.payload.stdout_path = "first.out";
  box_->start(first);
  box_->wait_for_file("here");
  const rlimit none = {0, 0};
  ASSERT_EQ(prlimit(box_->launcher->pid(), RLIMIT_NPROC, &none, nullptr), 0);
  const SpoolRecord record = not_started(adas("#!/bin/sh\ntouch ran\n"));
  ASSERT_TRUE(record.exit) << record.refusal;
  EXPECT_TRUE(contains(record.exit->launch_error, "Resource temporarily unavailable"))
      << record.exit->launch_error;
  box_->spawner->stop(first.key, StopReason::Cancelled, 0);
  box_->wait_for_end(first.key);
}

// S28
TEST_F(Users, SetuidProgramsGiveNothing) {
  const std::string program = path("who");
  std::filesystem::copy_file("/usr/bin/id", program);
  chmod(program.c_str(), 04755);
  EXPECT_EQ(output_of(adas("#!/bin/sh\n./who -u\n")), "54321\n");
  settings_.no_new_privileges = false;
  box_->spawner->configure(settings_);
  const std::string out = output_of(adas("#!/bin/sh\n./who -u\n"));
  EXPECT_TRUE(out == "0\n" || contains(read_text("/proc/mounts"), "nosuid")) << out;
}

// ---- What they reach (S08, S09, S23)
// -------------------------------------------------------------

TEST_F(Users, OutputGoesOnlyWhereTheUserMayWrite) {
  const std::string passwd = read_text("/etc/passwd");
  ASSERT_EQ(symlink("/etc/passwd", path("link").c_str()), 0);
  ASSERT_EQ(symlink("/etc/hyades-new", path("dangling").c_str()), 0);
  ASSERT_EQ(mknod(path("disk").c_str(), S_IFBLK | 0600, makedev(7, 0)), 0);
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0666), 0);
  chmod(path("fifo").c_str(), 0666);
  std::filesystem::create_directory(path("directory"));
  for (const char* target : {"/etc/cron.d/hyades-x", "/etc/hyades-x", "link", "dangling", "disk",
                             "../../../../../../etc/hyades-x", "fifo", "directory"}) {
    for (const bool append : {false, true}) {
      LaunchOrder order = adas("#!/bin/sh\ntouch ran\n");
      order.payload.stdout_path = target;
      order.payload.append_output = append;
      const SpoolRecord record = not_started(order);
      ASSERT_TRUE(record.exit) << target << ": " << record.refusal;
      EXPECT_TRUE(contains(record.exit->launch_error, "cannot open \"")) << target;
    }
  }
  EXPECT_EQ(read_text("/etc/passwd"), passwd);
  for (const char* created : {"/etc/cron.d/hyades-x", "/etc/hyades-x", "/etc/hyades-new"}) {
    EXPECT_FALSE(std::filesystem::exists(created)) << created;
  }
}

TEST_F(Users, AJobSeesNothingOfItsShepherd) {
  const std::string out = output_of(
      adas("#!/bin/bash\nls /proc/self/fd | wc -l\nhead -c 1 /proc/$PPID/mem\nls /proc/$PPID/fd\n"
           "cat /proc/$PPID/environ\nkill -9 $PPID\nperl -e 'print syscall(101, 16, $ARGV[0], 0, "
           "0)' $PPID\n"));
  EXPECT_TRUE(out.starts_with("4\n")) << out;  // and the directory that ls reads
  EXPECT_TRUE(contains(out, "/mem'") && contains(out, "Permission denied")) << out;
  EXPECT_TRUE(contains(out, "/environ: Permission denied")) << out;
  EXPECT_TRUE(contains(out, "/fd': Permission denied")) << out;
  EXPECT_TRUE(contains(out, "Operation not permitted")) << out;  // the kill
  EXPECT_TRUE(out.ends_with("\n-1")) << out;                     // it cannot be traced
}

TEST_F(Users, ScriptsAreNobodyElsesToRead) {
  LaunchOrder order = adas("#!/bin/sh\nstat -c %a:%U $0 $(dirname $0); ls $(dirname $0)\n");
  const std::string out = output_of(order);
  EXPECT_TRUE(out.starts_with("700:hyades-ada\n711:root\nls: ")) << out;
}

// Swaps what a user owns for links into a place of root's, as fast as it can.
class Swapper {
 public:
  Swapper(const TestUser& user, const std::string& directory, const std::string& target)
      : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setresgid(user.gid, user.gid, user.gid) != 0 ||
        setresuid(user.uid, user.uid, user.uid) != 0) {
      _exit(1);
    }
    const std::string aside = directory + ".aside";
    const std::string link = directory + ".link";
    if (symlink(target.c_str(), link.c_str()) != 0) _exit(1);
    while (true) {
      renameat2(AT_FDCWD, directory.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
      rename(directory.c_str(), aside.c_str());
      rename(aside.c_str(), directory.c_str());
    }
  }
  ~Swapper() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

int race_jobs() {
  const char* const told = std::getenv("HYADES_TEST_RACE_JOBS");
  return told == nullptr ? 100 : std::atoi(told);
}

TEST_F(Users, NothingOfRootsIsReachedThroughSwappedPaths) {
  settings_.private_tmp = true;
  box_->spawner->configure(settings_);
  const TestUser& ada = test_users().ada;
  const std::string roots = path("of-root");
  std::filesystem::create_directory(roots);
  std::ofstream(roots + "/out") << "untouched\n";
  std::filesystem::create_directory(path("home"));
  std::filesystem::create_directory(path("home/swap"));
  ASSERT_EQ(chown(path("home").c_str(), ada.uid, ada.gid), 0);
  ASSERT_EQ(chown(path("home/swap").c_str(), ada.uid, ada.gid), 0);
  int ran = 0;
  {
    const Swapper swapper(ada, path("home/swap"), roots);
    std::vector<LaunchKey> keys;
    for (int i = 0; i < race_jobs(); ++i) {
      LaunchOrder order = adas("#!/bin/sh\necho $TMPDIR > mine; touch $TMPDIR/file\n");
      order.payload.working_directory = path(i % 2 == 0 ? "home/swap" : "home");
      order.payload.stdout_path = i % 2 == 0 ? "out" : "swap/out";
      box_->start(order);
      keys.push_back(order.key);
    }
    for (const LaunchKey& key : keys) ran += box_->wait_for_end(key).started_ms != 0 ? 1 : 0;
  }
  EXPECT_GT(ran, 0);
  EXPECT_LT(ran, race_jobs());  // else nothing was swapped
  EXPECT_EQ(read_text(roots + "/out"), "untouched\n");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(roots), {}), 1);
  struct stat info = {};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path("home"))) {
    ASSERT_EQ(lstat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, ada.uid) << entry.path();
  }
  ASSERT_EQ(stat(roots.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
}

// ---- What they leave (S24)
// -----------------------------------------------------------------------

TEST_F(Users, KillingEverythingKillsOnlyOnesOwn) {
  const LaunchOrder bobs = order_of(
      test_users().bob, "#!/bin/sh\ntouch here; until test -e go; do sleep 0.1; done; exit 5\n");
  box_->start(bobs);
  box_->wait_for_file("here");
  LaunchOrder other = adas("#!/bin/sh\ntouch there; sleep 1000\n");
  other.payload.stdout_path = "other.out";
  box_->start(other);
  box_->wait_for_file("there");
  const LaunchOrder order = adas("#!/bin/bash\nkill -9 -1; exit 3\n");
  const ExitRecord exit = box_->run(order);
  EXPECT_TRUE(exit.exit_code == 3 || exit.signal == SIGKILL);
  // ada's other job is her own to kill; its end is seen all the same.
  const SpoolRecord record = box_->wait_for_end(other.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->signal, SIGKILL);
  EXPECT_TRUE(box_->launcher->alive());
  EXPECT_TRUE(box_->spool->look(bobs.key)->held);
  std::ofstream(path("go")) << "";
  EXPECT_EQ(box_->wait_for_end(bobs.key).exit->exit_code, 5);
}

TEST_F(Users, NothingOfAJobStays) {
  const LaunchOrder order = adas(
      "#!/bin/bash\n(setsid bash -c '(exec 0<&- 1>&- 2>&-; touch here; setsid env -i /bin/sleep "
      "1000 &) &' &)\nnohup sleep 1000 > /dev/null 2>&1 &\n"
      "until test -e here; do sleep 0.01; done\n");
  EXPECT_GE(box_->run(order).left_behind, 1);
  for (const Process& process : read_processes()) {
    struct stat info = {};
    const std::string directory = "/proc/" + std::to_string(process.pid);
    EXPECT_FALSE(stat(directory.c_str(), &info) == 0 && info.st_uid == 54321 && !process.zombie);
  }
  EXPECT_TRUE(std::filesystem::is_empty(path("spool/scripts")));
}

TEST_F(Users, APrivateTmpIsTheUsersAloneAndGoesWithTheJob) {
  settings_.private_tmp = true;
  box_->spawner->configure(settings_);
  LaunchOrder order = adas(
      "#!/bin/bash\necho $TMPDIR; stat -c %a:%U $TMPDIR\nmkdir -p $TMPDIR/a/b; for i in "
      "{1..500}; do echo > $TMPDIR/a/b/$i; done; ln -s " +
      path("kept") + " $TMPDIR/link; chmod 0 $TMPDIR/a; chmod 500 $TMPDIR\n");
  std::filesystem::create_directory(path("kept"));
  std::ofstream(path("kept/file")) << "";
  ASSERT_EQ(chown(path("kept").c_str(), 54321, 54321), 0);
  order.payload.environment.push_back("TMPDIR=/somewhere/else");
  std::istringstream out(output_of(order));
  std::string directory, mode;
  out >> directory >> mode;
  EXPECT_TRUE(directory.starts_with("/tmp/hyades-" + to_string(order.key) + '-')) << directory;
  EXPECT_EQ(mode, "700:hyades-ada");
  EXPECT_FALSE(std::filesystem::exists(directory));
  EXPECT_TRUE(std::filesystem::exists(path("kept/file")));
}

}  // namespace
}  // namespace hyades
