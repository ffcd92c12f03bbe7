// Launcher, shepherds and jobs as real processes.
#include "worker/shepherd.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "node_box.hpp"
#include "test_users.hpp"
#include "worker/boot_clock.hpp"
#include "worker/process_table.hpp"

namespace hyades {
namespace {

// Every process that carries the marks of this test's cluster.
std::vector<pid_t> marked_processes(const std::string& cluster_id) {
  std::vector<pid_t> result;
  for (const Process& process : read_processes()) {
    const std::string environment = read_text("/proc/" + std::to_string(process.pid) + "/environ");
    if (environment.find("HYADES_LAUNCH=" + cluster_id + ':') != std::string::npos) {
      result.push_back(process.pid);
    }
  }
  return result;
}

std::map<std::string, std::string> parse_environment(const std::string& text) {
  std::map<std::string, std::string> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) result[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return result;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ShepherdTest : public testing::Test {
 protected:
  // Nothing of any job may outlive its end.
  void TearDown() override { EXPECT_TRUE(marked_processes(box_.cluster_id).empty()); }

  const bool users_are_there_ = show_test_users();  // before the launcher looks
  NodeBox box_;
};

// ---- The plain course of things ----------------------------------------------------------------

TEST_F(ShepherdTest, RunsAScript) {
  const WallMs before = wall_now_ms();
  LaunchOrder order = box_.order("#!/bin/sh\necho \"$1-$2\"; pwd; umask; echo oops >&2\n");
  order.payload.arguments = {"first", "second word"};
  order.payload.umask = 027;
  box_.start(order);
  const SpoolRecord record = box_.wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->exit_code, 0);
  EXPECT_EQ(record.exit->signal, 0);
  EXPECT_EQ(record.exit->stopped, StopReason::None);
  EXPECT_EQ(record.exit->left_behind, 0);
  EXPECT_EQ(record.exit->launch_error, "");
  EXPECT_EQ(record.exit->started_ms, record.started_ms);
  EXPECT_GE(record.exit->started_ms, before);
  EXPECT_GE(record.exit->ended_ms, record.exit->started_ms);
  EXPECT_GT(record.exit->usage.max_rss_kib, 0);
  EXPECT_EQ(box_.output(), "first-second word\n" + box_.root.path() + "\n0027\noops\n");
}

TEST_F(ShepherdTest, ExitCodesAreTrue) {
  for (int code = 0; code <= 255; ++code) {
    const ExitRecord exit = box_.run_script("#!/bin/sh\nexit " + std::to_string(code) + "\n");
    EXPECT_EQ(exit.exit_code, code);
    EXPECT_EQ(exit.signal, 0);
  }
}

TEST_F(ShepherdTest, SignalsAreTrue) {
  const std::set<int> harmless = {SIGCHLD, SIGCONT, SIGURG,  SIGWINCH,
                                  SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
  for (int signal = 1; signal <= 64; ++signal) {
    if (harmless.contains(signal) || signal == 32 || signal == 33)
      continue;  // 32, 33: the C library's
    const std::string kill = "kill -" + std::to_string(signal) + " $$";
    const ExitRecord exit = box_.run_script("#!/bin/sh\nulimit -c 0\n" + kill + "\nexit 77\n");
    EXPECT_EQ(exit.signal, signal);
    EXPECT_EQ(exit.exit_code, 0);
  }
}

TEST_F(ShepherdTest, CountsTheTimeOfAllProcesses) {
  const ExitRecord exit = box_.run_script(
      "#!/bin/bash\nspin() { for ((n = 0; n < 300000; ++n)); do :; done; }\n"
      "(spin)\n(setsid bash -c 'sleep 0.01' &)\nwait\n");
  EXPECT_GT(exit.usage.user_ms + exit.usage.system_ms, 50);
  EXPECT_GE(exit.ended_ms - exit.started_ms, exit.usage.user_ms / 2);
}

TEST_F(ShepherdTest, AJobHasThreeFilesAndASessionOfItsOwn) {
  box_.run_script(
      "#!/bin/bash\nls -l /proc/self/fd > fds\nps -o sid= -p $$ > sid; echo $$ >> sid\n"
      "grep -E '^Sig(Blk|Ign)' /proc/self/status > signals\n");
  const std::string fds = box_.output("fds");
  EXPECT_TRUE(contains(fds, " 0 -> /dev/null")) << fds;
  EXPECT_TRUE(contains(fds, " 2 -> " + box_.root.path() + "/out")) << fds;
  // 3 is the directory that ls itself reads.
  EXPECT_EQ(std::count(fds.begin(), fds.end(), '\n'), 5) << fds;
  EXPECT_FALSE(contains(fds, "spool")) << fds;
  std::istringstream sid(box_.output("sid"));
  int session = 0, pid = 1;
  sid >> session >> pid;
  EXPECT_EQ(session, pid);
  std::istringstream signals(box_.output("signals"));
  for (std::string name, mask; signals >> name >> mask;) {
    EXPECT_EQ(std::stoull(mask, nullptr, 16) & ~(1ull << (SIGCHLD - 1)), 0u) << name << mask;
  }
}

TEST_F(ShepherdTest, LargeScriptsArriveWhole) {
  const std::string comment(100, '#');
  LaunchOrder order =
      box_.order("#!/bin/sh\nsha256sum < \"$0\" > sum; wc -c < \"$0\" > size\nexit\n");
  while (order.payload.script.size() < Limits::script_bytes_max - 101) {
    order.payload.script += comment + '\n';
  }
  order.payload.script.resize(Limits::script_bytes_max, '#');
  std::ofstream(box_.root / "expected") << order.payload.script;
  EXPECT_EQ(box_.run(order).exit_code, 0);
  EXPECT_EQ(box_.output("size"), std::to_string(Limits::script_bytes_max) + "\n");
  box_.run_script("#!/bin/sh\nsha256sum < expected > sum2\n");
  EXPECT_EQ(box_.output("sum"), box_.output("sum2"));
}

TEST_F(ShepherdTest, ManyAtOnce) {
  std::vector<LaunchKey> keys;
  for (int i = 0; i < 100; ++i) {
    const LaunchOrder order = box_.order("#!/bin/sh\nexit " + std::to_string(i) + "\n");
    box_.start(order);
    keys.push_back(order.key);
  }
  for (int i = 0; i < 100; ++i) {
    const SpoolRecord record = box_.wait_for_end(keys[static_cast<std::size_t>(i)]);
    ASSERT_TRUE(record.exit);
    EXPECT_EQ(record.exit->exit_code, i);
  }
}

TEST_F(ShepherdTest, SetsTheEnvironment) {
  LaunchOrder order = box_.order("#!/bin/sh\n#SBATCH -n1\nenv > environment\n");
  order.payload.environment = {"PATH=/usr/bin:/bin", "MINE=a b",          "OMPI_COMM_WORLD_RANK=3",
                               "PMIX_RANK=1",        "HYADES_JOB_ID=999", "PSM2_DEVICES=self"};
  order.spec.cpus_per_task = 4;
  EXPECT_EQ(box_.run(order).exit_code, 0);
  auto environment = parse_environment(box_.output("environment"));
  EXPECT_EQ(environment["MINE"], "a b");
  EXPECT_EQ(environment["HYADES_JOB_ID"], std::to_string(order.key.job));
  EXPECT_EQ(environment["SLURM_JOB_ID"], std::to_string(order.key.job));
  EXPECT_EQ(environment["HYADES_DIR"], box_.root / "state");
  EXPECT_EQ(environment["OMP_NUM_THREADS"], "4");
  for (const auto& [name, value] : environment) {
    EXPECT_FALSE(contains(name, "OMPI_COMM") || contains(name, "PMIX_") || contains(name, "PSM2"))
        << name;
  }
}

TEST_F(ShepherdTest, BindsToTheGivenCpus) {
  box_.spawner = std::make_unique<LauncherSpawner>(
      SpawnerConfig{box_.cluster_id, "", [](const IdSet&) { return std::vector<int>{0}; }},
      *box_.spool, *box_.launcher);
  box_.run_script("#!/bin/sh\ngrep Cpus_allowed_list /proc/self/status\n");
  EXPECT_EQ(box_.output(), "Cpus_allowed_list:\t0\n");
}

// As sched_getattr tells it; 0 before Linux 6.12.
std::uint64_t slice_ns(pid_t pid) {
  struct {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } attributes = {};
  EXPECT_EQ(syscall(SYS_sched_getattr, pid, &attributes, sizeof attributes, 0), 0) << pid;
  return attributes.runtime;
}

TEST_F(ShepherdTest, OnlyHyadesTakesShortSlices) {
  const std::uint64_t usual_ns = slice_ns(0);
  if (usual_ns == 0) GTEST_SKIP() << "this kernel has no slices of one's own";
  const LaunchOrder order =
      box_.order("#!/bin/sh\ntouch here; until test -e go; do sleep 0.1; done\n");
  box_.start(order);
  box_.wait_for_file("here");
  const StartedLine started = *box_.content(order.key).started;
  EXPECT_EQ(slice_ns(box_.launcher->pid()), 100'000u);
  EXPECT_EQ(slice_ns(started.shepherd_pid), 100'000u);
  EXPECT_EQ(slice_ns(started.job_pid), usual_ns);
  std::ofstream(box_.root / "go") << "";
  box_.wait_for_end(order.key);
}

// ---- Standard files and directories ------------------------------------------------------------

class LaunchError : public ShepherdTest {
 protected:
  std::string of(const LaunchOrder& order) {
    const ExitRecord exit = box_.run(order);
    EXPECT_FALSE(std::filesystem::exists(box_.root / "ran"));
    return exit.launch_error;
  }
  LaunchOrder order() { return box_.order("#!/bin/sh\ntouch ran\n"); }
};

TEST_F(LaunchError, MissingWorkingDirectory) {
  LaunchOrder order = this->order();
  order.payload.working_directory = "/does/not/exist";
  EXPECT_EQ(of(order),
            "cannot enter the working directory \"/does/not/exist\": No such file or directory");
  EXPECT_EQ(box_.spool->look(order.key)->started_ms, 0);
}

TEST_F(LaunchError, OutputIntoAFifoThatNobodyReads) {
  LaunchOrder order = this->order();
  ASSERT_EQ(mkfifo((box_.root / "fifo").c_str(), 0600), 0);
  order.payload.stdout_path = "fifo";
  EXPECT_EQ(of(order),
            "cannot open \"fifo\" for the job's standard output: it is a FIFO that nobody reads");
}

TEST_F(LaunchError, OutputIntoADirectory) {
  LaunchOrder order = this->order();
  std::filesystem::create_directory(box_.root / "directory");
  order.payload.stdout_path = "directory";
  EXPECT_EQ(of(order),
            "cannot open \"directory\" for the job's standard output: it is a directory");
  order = this->order();
  order.payload.stdin_path = "directory";
  EXPECT_EQ(of(order), "cannot open \"directory\" for the job's standard input: it is a directory");
}

TEST_F(LaunchError, OutputIntoAMissingDirectory) {
  LaunchOrder order = this->order();
  order.payload.stderr_path = "logs/%j.err";
  EXPECT_EQ(of(order),
            "cannot open \"logs/1.err\" for the job's standard error: \"logs\" or the file "
            "does not exist");
}

// What one user asks for may fail that job, but must not look like a fault of every node.
TEST_F(LaunchError, APatternThatExpandsBeyondAllPaths) {
  LaunchOrder order = this->order();
  order.spec.name = std::string(1000, 'n');
  order.payload.stdout_path = "%x";
  for (int i = 1; i < 20; ++i) order.payload.stdout_path += "/%x";
  const std::string error = of(order);
  EXPECT_TRUE(contains(error, "cannot open \"nnn")) << error;
  EXPECT_TRUE(contains(error, "...\" for the job's standard output: File name too long")) << error;
  order = this->order();
  order.spec.name = std::string(Limits::name_bytes_max, 'n');
  std::string longest;
  while (longest.size() < Limits::path_bytes_max - 1) longest += "%x";
  order.payload.stdin_path = order.payload.stdout_path = order.payload.stderr_path = longest;
  order.payload.script.append(Limits::script_bytes_max - order.payload.script.size(), '#');
  EXPECT_TRUE(contains(of(order), "File name too long"));
}

TEST_F(LaunchError, AsManyVariablesAsASubmissionMayHave) {
  LaunchOrder order = this->order();
  while (order.payload.environment.size() < Limits::list_max) {
    order.payload.environment.push_back('v' + std::to_string(order.payload.environment.size()) +
                                        '=');
  }
  const ExitRecord exit = box_.run(order);
  EXPECT_EQ(exit.launch_error, "");
  EXPECT_TRUE(std::filesystem::exists(box_.root / "ran"));
}

TEST_F(LaunchError, AnOrderThatNobodyUnderstands) {
  LaunchOrder order = this->order();
  order.spec.user = std::string(Limits::name_bytes_max + 1, 'u');
  EXPECT_EQ(of(order), "the launch order could not be understood");
}

TEST_F(LaunchError, WrongScripts) {
  EXPECT_EQ(of(box_.order("echo hello\n")),
            "the script does not begin with a line like #!/bin/bash");
  EXPECT_EQ(of(box_.order("")), "the script does not begin with a line like #!/bin/bash");
  EXPECT_EQ(of(box_.order("#!/no/such/shell -e\ntouch ran\n")),
            "the script's interpreter \"/no/such/shell\" does not exist");
  EXPECT_EQ(of(box_.order("#!/bin/sh\r\ntouch ran\r\n")),
            "the script has DOS line ends (CR LF); convert it, for example with dos2unix");
  LaunchOrder order = this->order();
  order.payload.arguments = {std::string(200 << 10, 'x')};
  EXPECT_EQ(of(order), "the script's arguments and environment are too large for the kernel");
}

// Runs the whole node as an ordinary user, as far as files are concerned.
TEST_F(LaunchError, TheUsersOwnRightsDecide) {
  LaunchOrder order = this->order();
  if (geteuid() == 0) {
    become(order, test_users().ada);
    chmod(box_.root.path().c_str(), 01777);
  }
  for (const char* path : {"/etc/hyades-test", "../../../../../../etc/hyades-test"}) {
    order.key = {++box_.jobs, 1, box_.jobs + 100};
    order.payload.stdout_path = path;
    EXPECT_TRUE(contains(of(order), "Permission denied")) << path;
    EXPECT_FALSE(std::filesystem::exists("/etc/hyades-test"));
  }
}

TEST_F(ShepherdTest, RootBecomesTheUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  chmod(box_.root.path().c_str(), 01777);
  LaunchOrder order =
      box_.order("#!/bin/sh\nid -u; id -G; cat /etc/shadow; test -w \"$0\" && echo w\n");
  become(order, test_users().ada);
  box_.run(order);
  const std::string out = box_.output();
  EXPECT_TRUE(out.starts_with("54321\n54321 54330\n")) << out;
  EXPECT_TRUE(contains(out, "Permission denied")) << out;
}

TEST_F(LaunchError, AnOrdinaryUserCannotBecomeAnother) {
  if (geteuid() == 0) GTEST_SKIP() << "root can become another user";
  LaunchOrder order = this->order();
  order.spec.uid = 0;
  order.spec.user = "root";
  EXPECT_TRUE(contains(of(order), "cannot become user \"root\" (uid 0)"));
}

TEST_F(ShepherdTest, OutputFilesAreKeptApartOrTogetherAsAsked) {
  LaunchOrder order = box_.order("#!/bin/sh\ncat; echo out; echo err >&2\n");
  std::ofstream(box_.root / "in") << "from stdin\n";
  std::ofstream(box_.root / "a job-0001.txt") << "old\n";
  order.payload.stdin_path = "in";
  order.payload.stdout_path = "%x-%4j.txt";
  order.payload.append_output = true;
  order.payload.stderr_path = "%N.err";
  EXPECT_EQ(box_.run(order).exit_code, 0);
  EXPECT_EQ(box_.output("a job-0001.txt"), "old\nfrom stdin\nout\n");
  EXPECT_EQ(box_.output("vn1.err"), "err\n");

  order = box_.order("#!/bin/sh\necho out; echo err >&2; echo more\n");
  order.payload.stdout_path = "";
  EXPECT_EQ(box_.run(order).exit_code, 0);
  EXPECT_EQ(box_.output("hyades-2.out"), "out\nerr\nmore\n");
}

TEST_F(ShepherdTest, OutputMayVanishWhileTheJobRuns) {
  LaunchOrder order = box_.order("#!/bin/sh\nrm -r logs; echo gone; exit 5\n");
  std::filesystem::create_directory(box_.root / "logs");
  order.payload.stdout_path = "logs/out";
  EXPECT_EQ(box_.run(order).exit_code, 5);
}

// A mounted file system that never answers.
class HungFileSystem : public ShepherdTest {
 protected:
  void SetUp() override {
    device_.reset(open("/dev/fuse", O_RDWR | O_CLOEXEC));
    std::filesystem::create_directory(directory_);
    const std::string options =
        "fd=" + std::to_string(device_.get()) + ",rootmode=40000,user_id=0,group_id=0";
    if (!device_ || mount("none", directory_.c_str(), "fuse", 0, options.c_str()) != 0) {
      GTEST_SKIP() << "cannot mount a hanging file system here: " << std::strerror(errno);
    }
    mounted_ = true;
    box_.preparation_limit_s = 1;
    box_.spool.reset();
    box_.start_worker();
  }
  void TearDown() override {
    if (mounted_) umount2(directory_.c_str(), MNT_DETACH);
    device_.reset();
    ShepherdTest::TearDown();
  }

  UniqueFd device_;
  std::string directory_ = box_.root / "hung";
  bool mounted_ = false;
};

TEST_F(HungFileSystem, OnlyItsOwnJobWaitsAndNotForEver) {
  LaunchOrder hung = box_.order("#!/bin/sh\n");
  hung.payload.working_directory = directory_ + "/below";
  box_.start(hung);
  EXPECT_EQ(box_.run_script("#!/bin/sh\nexit 3\n").exit_code, 3);
  const SpoolRecord record = box_.wait_for_end(hung.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.started_ms, 0);
  EXPECT_EQ(record.exit->launch_error, "entering the working directory \"" + directory_ +
                                           "/below\" did not finish within 1 s; is a file system "
                                           "hanging?");
}

// ---- Ends, stops and signals -------------------------------------------------------------------

TEST_F(ShepherdTest, NothingIsLeftBehind) {
  const std::string seconds = std::to_string(100000 + getpid());  // to be told from other tests'
  const ExitRecord exit = box_.run_script(
      "#!/bin/bash\n"
      "sleep " +
      seconds +
      " &\n"
      "nohup sleep " +
      seconds +
      " > /dev/null 2>&1 &\n"
      "(setsid bash -c '(exec 0<&- 1>&- 2>&-; setsid env -i /bin/sleep " +
      seconds +
      " &) &' &)\n"
      "sh -c 'trap \"\" TERM HUP INT; sleep " +
      seconds +
      "; sleep 1' &\n"
      "until test $(pgrep -c -f -x \"sleep " +
      seconds +
      "\") = 3 &&\n"
      "      test $(pgrep -c -f -x \"/bin/sleep " +
      seconds +
      "\") = 1; do\n"
      "  sleep 0.05\ndone\nexit 7\n");
  EXPECT_EQ(exit.exit_code, 7);
  EXPECT_GE(exit.left_behind, 5);  // four sleeps and the shell that ignores signals
  for (const Process& process : read_processes()) {
    const std::string command = read_text("/proc/" + std::to_string(process.pid) + "/cmdline");
    EXPECT_FALSE(contains(command, seconds)) << process.pid;
  }
}

TEST_F(ShepherdTest, TheAgentsOfAnMpirunThatIsOverAreNotMentioned) {
  const auto left_behind = [&](const std::string& name) {
    return box_
        .run_script("#!/bin/sh\ncp /bin/sleep " + name + "; ./" + name +
                    " 1000 &\nuntil grep -q -x " + name + " /proc/$!/comm; do :; done\n")
        .left_behind;
  };
  EXPECT_EQ(left_behind("hrsh"), 0);
  EXPECT_EQ(left_behind("other"), 1);
}

TEST_F(ShepherdTest, StoppedJobsDieToo) {
  const LaunchOrder order = box_.order("#!/bin/sh\ntouch here; kill -STOP $$\n");
  box_.start(order);
  box_.wait_for_file("here");
  box_.spawner->stop(order.key, StopReason::Cancelled, 30);
  const SpoolRecord record = box_.wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->signal, SIGTERM);
  EXPECT_EQ(record.exit->stopped, StopReason::Cancelled);
}

TEST_F(ShepherdTest, IgnoringSigtermHelpsOnlyForAWhile) {
  const LaunchOrder order =
      box_.order("#!/bin/bash\ntrap '' TERM\n(trap '' TERM; touch here; sleep 1000; sleep 1000)\n");
  box_.start(order);
  box_.wait_for_file("here");
  box_.spawner->stop(order.key, StopReason::Requeue, 1);
  const SpoolRecord record = box_.wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->signal, SIGKILL);
  EXPECT_EQ(record.exit->stopped, StopReason::Requeue);
}

TEST_F(ShepherdTest, GraceIsForProgramsWhoseShellHasGone) {
  const LaunchOrder order = box_.order(
      "#!/bin/bash\n"
      "bash -c 'trap \"sleep 0.5; touch saved; exit\" TERM; touch here; while :; do sleep 0.1; "
      "done' &\n"
      "wait\n");
  box_.start(order);
  box_.wait_for_file("here");
  box_.spawner->stop(order.key, StopReason::Cancelled, 30);
  const SpoolRecord record = box_.wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->signal, SIGTERM);
  EXPECT_EQ(record.exit->left_behind, 0);
  EXPECT_TRUE(std::filesystem::exists(box_.root / "saved"));
}

TEST_F(ShepherdTest, ASecondStopCanOnlyMakeItFaster) {
  const LaunchOrder order =
      box_.order("#!/bin/bash\ntrap '' TERM; touch here\nwhile :; do sleep 1; done\n");
  box_.start(order);
  box_.wait_for_file("here");
  box_.spawner->stop(order.key, StopReason::Cancelled, 1000);
  box_.spawner->stop(order.key, StopReason::TimeLimit, 2000);
  box_.spawner->stop(order.key, StopReason::TimeLimit, 0);
  const SpoolRecord record = box_.wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->stopped, StopReason::Cancelled);
  EXPECT_EQ(record.exit->signal, SIGKILL);
}

TEST_F(ShepherdTest, TimeLimit) {
  LaunchOrder order = box_.order("#!/bin/bash\ntrap 'echo term; exit 9' TERM\nsleep 1000 & wait\n");
  order.spec.time_limit_s = 1;
  const ExitRecord exit = box_.run(order);
  EXPECT_EQ(exit.stopped, StopReason::TimeLimit);
  EXPECT_EQ(exit.exit_code, 9);
  EXPECT_EQ(box_.output(), "term\n");
  EXPECT_GE(exit.ended_ms - exit.started_ms, 1000);
}

TEST_F(ShepherdTest, WarningReachesTheProgramsButNotTheShell) {
  LaunchOrder order = box_.order(
      "#!/bin/bash\ntrap 'touch shell' USR1\n"
      "bash -c 'trap \"touch program; exit\" USR1; while :; do sleep 0.1; done'\nexit 4\n");
  order.spec.time_limit_s = 100;
  order.spec.warning = {.signal = SIGUSR1, .seconds_before_end = 1000, .batch_only = false};
  EXPECT_EQ(box_.run(order).exit_code, 4);
  EXPECT_TRUE(std::filesystem::exists(box_.root / "program"));
  EXPECT_FALSE(std::filesystem::exists(box_.root / "shell"));
}

TEST_F(ShepherdTest, WarningReachesOnlyTheShell) {
  LaunchOrder order = box_.order(
      "#!/bin/bash\ntrap 'touch shell' USR1\n"
      "bash -c 'trap \"touch program\" USR1; for i in 1 2 3 4 5 6 7 8 9 0; do sleep 0.2; done' &\n"
      "wait; wait\nexit 4\n");
  order.spec.time_limit_s = 2;
  order.spec.warning = {.signal = SIGUSR1, .seconds_before_end = 1, .batch_only = true};
  const ExitRecord exit = box_.run(order);
  EXPECT_TRUE(std::filesystem::exists(box_.root / "shell"));
  EXPECT_FALSE(std::filesystem::exists(box_.root / "program"));
  EXPECT_NE(exit.started_ms, 0);
}

TEST_F(ShepherdTest, WarningReachesAProgramThatTookTheShellsPlace) {
  LaunchOrder order = box_.order(
      "#!/bin/bash\nexec bash -c 'trap \"exit 6\" USR2; while :; do read -t 0.1 < /dev/zero; "
      "done'\n");
  order.spec.time_limit_s = 100;
  order.spec.warning = {.signal = SIGUSR2, .seconds_before_end = 100, .batch_only = false};
  EXPECT_EQ(box_.run(order).exit_code, 6);
}

TEST_F(ShepherdTest, SignalsOnRequest) {
  const LaunchOrder order =
      box_.order("#!/bin/bash\ntrap 'exit 12' USR1\ntouch here\nwhile :; do sleep 0.1; done\n");
  box_.start(order);
  box_.wait_for_file("here");
  box_.spawner->signal(order.key, SIGUSR1, true);
  EXPECT_EQ(box_.wait_for_end(order.key).exit->exit_code, 12);
  box_.spawner->signal(order.key, SIGUSR1, true);  // over: nobody is hit
  EXPECT_EQ(box_.run_script("#!/bin/sh\nexit 1\n").exit_code, 1);
}

TEST_F(ShepherdTest, ARequestedKillIsTheScriptsOwnEnd) {
  const LaunchOrder order = box_.order("#!/bin/bash\ntouch here\nsleep 1000\nexit 3\n");
  box_.start(order);
  box_.wait_for_file("here");
  box_.spawner->signal(order.key, SIGKILL, false);
  const SpoolRecord record = box_.wait_for_end(order.key);
  EXPECT_EQ(record.exit->signal, SIGKILL);
  EXPECT_EQ(record.exit->exit_code, 0);
}

TEST_F(ShepherdTest, ZombiesAndOrphansAreCollected) {
  const ExitRecord exit =
      box_.run_script("#!/bin/bash\nfor i in {1..300}; do (true &) ; done\nexec sh -c 'exit 8'\n");
  EXPECT_EQ(exit.exit_code, 8);
}

TEST_F(ShepherdTest, AForkBombEndsWithItsJob) {
  LaunchOrder order = box_.order(
      "#!/bin/bash\nulimit -u 400\nbomb() { bomb | bomb & }\n"
      "bomb 2> /dev/null\nsleep 0.3\nexit 2\n");
  if (geteuid() == 0) {
    become(order, test_users().ada);  // the limit does not hold for root
    chmod(box_.root.path().c_str(), 01777);
  } else {
    GTEST_SKIP() << "would take this user's own processes along";
  }
  const ExitRecord exit = box_.run(order);
  EXPECT_GT(exit.left_behind, 0);
  for (const Process& process : read_processes()) {
    struct stat info = {};
    const std::string path = "/proc/" + std::to_string(process.pid);
    EXPECT_FALSE(stat(path.c_str(), &info) == 0 && info.st_uid == test_users().ada.uid &&
                 !process.zombie);
  }
}

TEST_F(ShepherdTest, TheShepherdIsOutOfItsJobsReach) {
  box_.run_script(
      "#!/bin/sh\ncat /proc/$PPID/environ > /dev/null && echo readable\n"
      "ls -ln /proc/$PPID/ | grep environ\ncat /proc/$PPID/comm\n");
  const std::string out = box_.output();
  EXPECT_TRUE(contains(out, "hyades-shep")) << out;
  EXPECT_EQ(contains(out, "readable"), geteuid() == 0) << out;
}

// ---- Deaths ------------------------------------------------------------------------------------

class Deaths : public testing::Test {
 protected:
  // The launch has ended at the failpoint; what does the spool say?
  SpoolRecord launch(NodeBox& box) {
    order_ = box.order(
        "#!/bin/bash\ntouch ran\nsleep 1000 &\n(setsid env -i /bin/sleep 1000 &)\nwait\n");
    box.start(order_);
    return box.wait_for_end(order_.key);
  }
  void expect_never_ran(NodeBox& box) {
    EXPECT_FALSE(std::filesystem::exists(box.root / "ran"));
    EXPECT_TRUE(box.spawner->sweep(order_.key));
    EXPECT_TRUE(marked_processes(box.cluster_id).empty());
  }

  LaunchOrder order_;
};

TEST_F(Deaths, LauncherBeforeTheFork) {
  NodeBox box("launcher/launcher_before_fork:kill");
  const SpoolRecord record = launch(box);
  EXPECT_FALSE(record.exit);
  EXPECT_EQ(record.started_ms, 0);
  expect_never_ran(box);
  EXPECT_TRUE(wait_until([&] { return !box.launcher->alive(); }));
  const LaunchOrder next = box.order("#!/bin/sh\n");
  ASSERT_EQ(box.spool->claim(next.key), ClaimResult::Claimed);
  EXPECT_FALSE(box.spawner->start(next));
  EXPECT_EQ(box.spawner->last_error(), "the node's launcher process has died");
  EXPECT_FALSE(box.spool->look(next.key)->held);
  EXPECT_EQ(box.spool->look(next.key)->refusal, "the node's launcher process has died");
}

TEST_F(Deaths, ShepherdBeforeItRecordsTheStart) {
  NodeBox box("shepherd/shepherd_before_started:kill");
  const SpoolRecord record = launch(box);
  EXPECT_FALSE(record.exit);
  EXPECT_EQ(record.started_ms, 0);
  expect_never_ran(box);
}

TEST_F(Deaths, ShepherdAfterItRecordedTheStart) {
  NodeBox box("shepherd/shepherd_after_started:kill");
  const SpoolRecord record = launch(box);
  EXPECT_FALSE(record.exit);
  EXPECT_NE(record.started_ms, 0);
  expect_never_ran(box);
}

TEST_F(Deaths, ShepherdBeforeItRecordsTheEnd) {
  NodeBox box("shepherd/shepherd_before_exit_record:kill");
  order_ = box.order("#!/bin/sh\ntouch ran; exit 3\n");
  box.start(order_);
  const SpoolRecord record = box.wait_for_end(order_.key);
  EXPECT_FALSE(record.exit);
  EXPECT_NE(record.started_ms, 0);
  EXPECT_TRUE(box.spawner->sweep(order_.key));
}

TEST_F(Deaths, ShepherdAfterItRecordedTheEnd) {
  NodeBox box("shepherd/shepherd_after_exit_record:kill");
  order_ = box.order("#!/bin/sh\nexit 3\n");
  box.start(order_);
  const SpoolRecord record = box.wait_for_end(order_.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->exit_code, 3);
}

TEST_F(Deaths, ShepherdWhileTheJobRuns) {
  NodeBox box;
  order_ = box.order(
      "#!/bin/bash\nsleep 1000 &\n"
      "(setsid bash -c 'setsid sleep 1000 & sleep 1000' &)\n"
      "env -i /bin/sleep 1000 &\ntouch here\nwait\n");
  box.start(order_);
  box.wait_for_file("here");
  const StartedLine started = *box.content(order_.key).started;
  ASSERT_EQ(kill(started.shepherd_pid, SIGKILL), 0);
  const SpoolRecord record = box.wait_for_end(order_.key);
  EXPECT_FALSE(record.exit);
  EXPECT_NE(record.started_ms, 0);
  EXPECT_TRUE(wait_until([&] { return !is_alive(started.job_pid); }));  // with its shepherd
  EXPECT_TRUE(wait_until([&] { return box.spawner->sweep(order_.key); }));
  EXPECT_TRUE(marked_processes(box.cluster_id).empty());
  for (const Process& process : read_processes()) {
    EXPECT_FALSE(process.session == started.job_pid && !process.zombie) << process.pid;
  }
}

TEST_F(Deaths, ASweepTakesNobodyElse) {
  NodeBox box;
  const LaunchOrder first = box.order("#!/bin/sh\ntouch first; sleep 1000\n");
  const LaunchOrder second =
      box.order("#!/bin/sh\ntouch second\nuntil test -e go; do sleep 0.1; done\n");
  box.start(first);
  box.start(second);
  box.wait_for_file("first");
  box.wait_for_file("second");
  kill(box.content(first.key).started->shepherd_pid, SIGKILL);
  box.wait_for_end(first.key);
  EXPECT_TRUE(wait_until([&] { return box.spawner->sweep(first.key); }));
  std::ofstream(box.root / "go") << "";
  EXPECT_EQ(box.wait_for_end(second.key).exit->signal, 0);
}

// Not to have looked is no proof that nothing is left.
TEST_F(Deaths, ASweepThatCannotLookFindsNotNothing) {
  NodeBox box;
  const LaunchKey nobody = {1000, 1, 1};
  ASSERT_TRUE(box.spawner->sweep(nobody));
  for (rlim_t spare : {0, 1}) {  // none for /proc; none for the processes in it
    const NoDescriptors none(spare);
    EXPECT_FALSE(box.spawner->sweep(nobody)) << spare;
  }
  EXPECT_TRUE(box.spawner->sweep(nobody));
}

// A process that has got the pid of something long dead.
class Innocent {
 public:
  Innocent() : pid_(fork()) {
    if (pid_ != 0) return;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) pause();
  }
  ~Innocent() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  // A record by which it is batch script and shepherd of a launch that nobody holds.
  void become_part_of(NodeBox& box, const LaunchKey& key) {
    ASSERT_TRUE(wait_until([&] { return getsid(pid_) == pid_; }));
    ASSERT_EQ(box.spool->claim(key), ClaimResult::Claimed);
    box.spool->release(key);
    const BootMs long_ago = 1000;
    std::ofstream(box.spool->record_path(key), std::ios::app)
        << started_line({pid_, pid_, 1, long_ago, long_ago});
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(Deaths, ASweepKnowsASessionByMoreThanItsNumber) {
  NodeBox box;
  Innocent innocent;
  const LaunchKey old = {1, 1, 1};
  innocent.become_part_of(box, old);
  EXPECT_TRUE(box.spawner->sweep(old));
  EXPECT_TRUE(is_alive(innocent.pid()));
}

TEST_F(Deaths, AStopReachesShepherdsOnly) {
  NodeBox box;
  Innocent innocent;
  const LaunchKey old = {1000, 1, 1};
  innocent.become_part_of(box, old);
  box.spawner->stop(old, StopReason::Cancelled, 0);
  box.spawner->signal(old, SIGKILL, true);
  order_ = box.order("#!/bin/sh\n");  // comes after these, so they have been dealt with then
  box.start(order_);
  EXPECT_TRUE(box.wait_for_end(order_.key).exit);
  EXPECT_TRUE(is_alive(innocent.pid()));
}

TEST_F(Deaths, JobsOutliveWorkerAndLauncher) {
  NodeBox box;
  order_ = box.order("#!/bin/sh\ntouch here\nuntil test -e go; do sleep 0.1; done\nexit 21\n");
  box.start(order_);
  box.wait_for_file("here");
  const pid_t launcher = box.launcher->pid();
  box.spawner.reset();
  box.spool.reset();
  box.launcher.reset();  // as the kernel does when the worker is killed
  EXPECT_TRUE(wait_until([&] { return !is_alive(launcher); }));
  box.start_launcher();
  box.start_worker();
  const auto record = box.spool->look(order_.key);
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->held);
  EXPECT_NE(record->started_ms, 0);
  std::ofstream(box.root / "go") << "";
  EXPECT_EQ(box.wait_for_end(order_.key).exit->exit_code, 21);
}

Process process_of(pid_t pid) {
  Process process;
  EXPECT_TRUE(parse_stat(read_text("/proc/" + std::to_string(pid) + "/stat"), process)) << pid;
  return process;
}

// As when a terminal is closed, or somebody ends all that belongs to mpirun.
TEST_F(Deaths, ShepherdsAreOutOfReachOfTerminalsAndProcessGroups) {
  NodeBox box;
  order_ = box.order("#!/bin/sh\ntouch here\nuntil test -e go; do sleep 0.1; done\nexit 22\n");
  box.start(order_);
  box.wait_for_file("here");
  const Process shepherd = process_of(box.content(order_.key).started->shepherd_pid);
  EXPECT_EQ(shepherd.session, box.launcher->pid());
  EXPECT_EQ(shepherd.terminal, 0);
  EXPECT_NE(shepherd.session, getsid(0));
  EXPECT_NE(shepherd.group, getpgrp());
  for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
    ASSERT_EQ(kill(shepherd.pid, signal), 0);
  }
  std::ofstream(box.root / "go") << "";
  EXPECT_EQ(box.wait_for_end(order_.key).exit->exit_code, 22);
}

// The kernel wakes stopped processes whose process group loses its last tie to their session.
TEST_F(Deaths, AStoppedShepherdStaysSoWhenTheLauncherDies) {
  NodeBox box;
  order_ = box.order("#!/bin/sh\ntouch here\nuntil test -e go; do sleep 0.1; done\nexit 23\n");
  box.start(order_);
  box.wait_for_file("here");
  const pid_t shepherd = box.content(order_.key).started->shepherd_pid;
  const std::string stat = "/proc/" + std::to_string(shepherd) + "/stat";
  ASSERT_EQ(kill(shepherd, SIGSTOP), 0);
  ASSERT_TRUE(wait_until([&] { return contains(read_text(stat), ") T "); }));
  ASSERT_EQ(kill(box.launcher->pid(), SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] { return process_of(shepherd).parent != box.launcher->pid(); }));
  EXPECT_TRUE(contains(read_text(stat), ") T ")) << read_text(stat);
  kill(shepherd, SIGCONT);
  std::ofstream(box.root / "go") << "";
  EXPECT_EQ(box.wait_for_end(order_.key).exit->exit_code, 23);
}

TEST_F(Deaths, AnAdoptedJobCanBeStopped) {
  NodeBox box;
  order_ = box.order("#!/bin/sh\ntouch here\nsleep 1000\n");
  box.start(order_);
  box.wait_for_file("here");
  box.spawner.reset();
  box.spool.reset();
  box.launcher.reset();
  box.start_launcher();
  box.start_worker();
  box.spawner->stop(order_.key, StopReason::Cancelled, 5);
  const SpoolRecord record = box.wait_for_end(order_.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->stopped, StopReason::Cancelled);
}

// What the worker had sent before it died is still carried out, and its lock says so meanwhile.
TEST_F(Deaths, OrdersOnTheirWayAreNotLost) {
  NodeBox box("launcher/launcher_before_fork:stop");
  order_ = box.order("#!/bin/sh\nexit 17\n");
  box.start(order_);
  const pid_t launcher = box.launcher->pid();
  EXPECT_TRUE(wait_until(
      [&] { return contains(read_text("/proc/" + std::to_string(launcher) + "/stat"), ") T "); }));
  const LaunchOrder queued = box.order("#!/bin/sh\nexit 18\n");
  box.start(queued);
  EXPECT_TRUE(box.spool->look(order_.key)->held);
  EXPECT_TRUE(box.spool->look(queued.key)->held);
  EXPECT_EQ(box.spool->look(queued.key)->started_ms, 0);
  kill(launcher, SIGCONT);
  EXPECT_EQ(box.wait_for_end(order_.key).exit->exit_code, 17);
  EXPECT_EQ(box.wait_for_end(queued.key).exit->exit_code, 18);
}

TEST_F(Deaths, OrdersDieWithTheLauncher) {
  NodeBox box("launcher/launcher_before_fork:stop");
  order_ = box.order("#!/bin/sh\ntouch ran\n");
  box.start(order_);
  const LaunchOrder queued = box.order("#!/bin/sh\ntouch ran\n");
  box.start(queued);
  kill(box.launcher->pid(), SIGKILL);
  for (const LaunchKey& key : {order_.key, queued.key}) {
    const SpoolRecord record = box.wait_for_end(key);
    EXPECT_FALSE(record.exit);
    EXPECT_EQ(record.started_ms, 0);
  }
  expect_never_ran(box);
}

// More than the socket can hold, while nobody reads it.
TEST_F(Deaths, AStuckLauncherBlocksNobody) {
  NodeBox box("launcher/launcher_before_fork:stop");
  std::vector<LaunchKey> keys;
  for (int i = 0; i < 30; ++i) {
    LaunchOrder order = box.order("#!/bin/sh\nexit 0\n#" + std::string(50000, '#') + "\n");
    box.start(order);
    keys.push_back(order.key);
  }
  EXPECT_TRUE(box.launcher->wants_write());
  EXPECT_TRUE(box.spool->look(keys.back())->held);
  ASSERT_TRUE(wait_until([&] {
    kill(box.launcher->pid(), SIGCONT);
    return box.launcher->flush() && !box.launcher->wants_write();
  }));
  for (const LaunchKey& key : keys) EXPECT_TRUE(box.wait_for_end(key).exit);
}

TEST_F(Deaths, AnOrderThatCannotBeHandedOverSaysWhy) {
  NodeBox box;
  LaunchOrder order = box.order("#!/bin/sh\n");
  order.payload.script.append(100 << 10, '#');  // travels in a memory file
  ASSERT_EQ(box.spool->claim(order.key), ClaimResult::Claimed);
  {
    const NoDescriptors none;
    EXPECT_FALSE(box.spawner->start(order));
  }
  const SpoolRecord record = box.wait_for_end(order.key);
  EXPECT_EQ(record.refusal, "cannot hand the order to the node's launcher: Too many open files");
}

TEST_F(Deaths, NoProcessLeft) {
  if (geteuid() == 0) GTEST_SKIP() << "root is not limited; run as an ordinary user";
  rlimit old = {};
  getrlimit(RLIMIT_NPROC, &old);
  const rlimit none = {0, old.rlim_max};
  NodeBox box;
  ASSERT_EQ(prlimit(box.launcher->pid(), RLIMIT_NPROC, &none, nullptr), 0);
  order_ = box.order("#!/bin/sh\n");
  box.start(order_);
  const SpoolRecord record = box.wait_for_end(order_.key);
  EXPECT_FALSE(record.exit);
  EXPECT_EQ(record.started_ms, 0);
  EXPECT_TRUE(contains(record.refusal, "Resource temporarily unavailable")) << record.refusal;
}

}  // namespace
}  // namespace hyades
