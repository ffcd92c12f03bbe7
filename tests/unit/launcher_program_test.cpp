// How a worker gets its launcher: a program of its own, born with nothing of the worker's.
#include <fcntl.h>
#include <sys/prctl.h>

#include <cerrno>
#include <map>
#include <stdexcept>

#include "node_box.hpp"
#include "worker/launcher_power.hpp"
#include "worker/process_table.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

std::string failure_of(const std::string& program) {
  try {
    LauncherHandle::start_before_mpi(program, "/nowhere");
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

bool has_children() { return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

std::string proc(pid_t pid, const std::string& name) {
  return read_text("/proc/" + std::to_string(pid) + "/" + name);
}

// A script in the launcher's place, which says with what it was born and waits to be read.
class Born : public testing::Test {
 protected:
  void SetUp() override {
    program_ = root_ / "hyades-launcher";
    std::ofstream(program_) << "#!/bin/bash\nexec >" << (root_ / "report.new")
                            << "\necho \"spool $1\"; echo \"word $HYADES_TEST_WORD\"\n"
                               "read -r stat </proc/$$/stat; echo \"stat $stat\"\n"
                               "ls -l /proc/$$/fd\n"
                               "mv "
                            << (root_ / "report.new") << ' ' << (root_ / "report") << "\n";
    chmod(program_.c_str(), 0700);
  }

  std::string report() {
    EXPECT_TRUE(wait_until([&] { return fs::exists(root_ / "report"); }));
    return read_text(root_ / "report");
  }
  static bool says(const std::string& report, const std::string& line) {
    return ('\n' + report).find('\n' + line + '\n') != std::string::npos;
  }

  TemporaryDirectory root_;
  std::string program_;
};

TEST_F(Born, WithTheOrderSocketAndNothingElse) {
  const int low = open("/dev/zero", O_RDONLY);  // without O_CLOEXEC
  const int high = fcntl(low, F_DUPFD, 500);
  const LauncherHandle launcher = LauncherHandle::start_before_mpi(program_, "/nowhere");
  const std::string report = this->report();
  close(low);
  close(high);
  EXPECT_TRUE(report.find(" 0 -> /dev/null\n") != report.npos) << report;
  EXPECT_NE(report.find(" 3 -> socket:"), report.npos) << report;
  EXPECT_EQ(report.find("/dev/zero"), report.npos) << report;
  // 1 is the report, 2 the test's, 255 the shell's for its script.
  int count = 0;
  for (std::size_t at = 0; (at = report.find(" -> ", at)) != report.npos; ++at) ++count;
  EXPECT_EQ(count, 5) << report;
}

TEST_F(Born, InASessionOfItsOwnWithTheEnvironment) {
  setenv("HYADES_TEST_WORD", "two words", 1);
  const LauncherHandle launcher = LauncherHandle::start_before_mpi(program_, "/some where");
  unsetenv("HYADES_TEST_WORD");
  const std::string report = this->report();
  EXPECT_TRUE(says(report, "spool /some where")) << report;
  EXPECT_TRUE(says(report, "word two words")) << report;
  Process process;
  const std::size_t at = report.find("stat ");
  ASSERT_NE(at, std::string::npos) << report;
  ASSERT_TRUE(parse_stat(report.substr(at + 5), process)) << report;
  EXPECT_EQ(process.pid, launcher.pid());
  EXPECT_EQ(process.session, launcher.pid());
  EXPECT_EQ(process.group, launcher.pid());
}

TEST(LauncherProgram, MissingIsAnErrorThatSaysWhere) {
  TemporaryDirectory root;
  const std::string program = root / "hyades-launcher";
  EXPECT_EQ(failure_of(program), "cannot run the launcher " + program +
                                     ": No such file or directory; it belongs beside hyadesd: put "
                                     "the one of the same build there");
  EXPECT_FALSE(has_children());
}

TEST(LauncherProgram, NotExecutableIsAnErrorThatSaysWhere) {
  TemporaryDirectory root;
  const std::string program = root / "hyades-launcher";
  fs::copy_file(program_beside_me("hyades-launcher_test"), program);
  chmod(program.c_str(), 0644);
  EXPECT_EQ(failure_of(program), "cannot run the launcher " + program +
                                     ": Permission denied; it must be a program that this user may "
                                     "execute, the one of hyadesd's build");
  std::ofstream(program, std::ios::trunc) << "no program\n";
  chmod(program.c_str(), 0755);
  EXPECT_NE(failure_of(program).find(": Exec format error; it must be"), std::string::npos)
      << failure_of(program);
  EXPECT_FALSE(has_children());
}

TEST(LauncherProgram, IsFoundByItsNameAndTakesNobodysDescriptors) {
  const UniqueFd mine(open("/dev/null", O_RDONLY));  // which outlives an exec
  NodeBox box;
  const pid_t pid = box.launcher->pid();
  EXPECT_TRUE(wait_until([&] { return proc(pid, "comm") == "hyades-launch\n"; }));
  if (geteuid() != 0) return;  // the launcher hides the rest
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
  // What it opens for a moment, as it looks around at its start, is its own; what stays is not.
  std::string held;
  EXPECT_TRUE(wait_until([&] {
    held.clear();
    std::error_code error;
    std::map<int, std::string> files;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
      files[std::stoi(entry.path().filename())] = fs::read_symlink(entry.path(), error);
    }
    std::erase_if(files, [](const auto& file) {  // its own, to keep counting cheap
      return file.second.find("perf_event") != std::string::npos;
    });
    for (const auto& [number, what] : files) held += std::to_string(number) + ": " + what + "\n";
    return files.size() == 4 && files.rbegin()->first == launcher_orders_fd &&
           files[2] == "/dev/null";
  })) << held;
}

TEST(LauncherProgram, DoesNothingByItself) {
  const pid_t pid = fork();
  if (pid == 0) {
    close_range(0, ~0u, 0);
    const std::string program = program_beside_me("hyades-launcher_test");
    execl(program.c_str(), program.c_str(), "/nowhere", nullptr);
    _exit(127);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << status;
}

// On a tree that stands for /sys.
class Power : public testing::Test {
 protected:
  TemporaryDirectory root_;
  std::string zone_ = root_ / "sys/class/powercap/intel-rapl:0/";
  std::string limit_ = zone_ + "constraint_0_power_limit_uw";

  void SetUp() override {
    fs::create_directories(zone_);
    fs::create_directories(root_ / "run");
    std::ofstream(zone_ + "name") << "package-0\n";
    std::ofstream(zone_ + "enabled") << "1\n";
    std::ofstream(zone_ + "constraint_0_name") << "long_term\n";
    std::ofstream(limit_) << "200000000\n";
    setenv("HYADES_TELEMETRY_ROOT", root_.path().c_str(), 1);
  }
  void TearDown() override { unsetenv("HYADES_TELEMETRY_ROOT"); }
  LauncherHandle launcher() {
    return LauncherHandle::start_before_mpi(program_beside_me("hyades-launcher_test"),
                                            root_ / "spool");
  }
  bool becomes(const std::string& microwatts) {
    return wait_until([&] { return read_text(limit_).starts_with(microwatts); });
  }
};

TEST_F(Power, IsCappedUntilTheWorkerIsGone) {
  {
    LauncherHandle handle = launcher();
    EXPECT_EQ(handle.power_packages(), std::vector<int>{0});
    LauncherPower power({{0, IdSet::first(2)}}, "", handle);
    power.set(0, 70);
    EXPECT_TRUE(becomes("140000000"));
    power.set(0, 65);
    EXPECT_TRUE(becomes("130000000"));
    EXPECT_EQ(power.fixed(), "");
  }
  EXPECT_TRUE(becomes("200000000"));
}

TEST_F(Power, ThatCannotBeSetIsTold) {
  LauncherHandle handle = launcher();
  LauncherPower power({{0, IdSet::first(2)}}, "", handle);
  fs::remove_all(root_ / "run");
  power.set(0, 70);
  EXPECT_TRUE(wait_until([&] { return handle.alive() && !power.fixed().empty(); }));
  EXPECT_NE(power.fixed().find("hyades-power-limits"), std::string::npos) << power.fixed();
  EXPECT_TRUE(read_text(limit_).starts_with("200000000"));
}

TEST_F(Power, OfAMachineWithoutAnyIsNotCapped) {
  fs::remove_all(root_ / "sys");
  LauncherHandle handle = launcher();
  EXPECT_TRUE(handle.power_packages().empty());
  const LauncherPower power({}, handle.no_power(), handle);
  EXPECT_NE(power.fixed().find("no package that can be capped"), std::string::npos);
}

// A worker in a process of its own, which leaves two orders with a stopped launcher.
[[noreturn]] void be_worker(const std::string& root, int orders) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setenv("HYADES_FAILPOINT", "launcher/launcher_before_fork:stop", 1);
  LauncherHandle launcher =
      LauncherHandle::start_before_mpi(program_beside_me("hyades-launcher_test"), root + "/spool");
  DiskSpool spool(root + "/spool");
  LauncherSpawner spawner({"test-" + std::to_string(getpid()), root, nullptr, 60}, spool, launcher);
  for (int i = 1; i <= orders; ++i) {
    const LaunchOrder order = plain_order(static_cast<JobId>(i), root,
                                          "#!/bin/sh\nexit " + std::to_string(10 + i) + "\n");
    if (spool.claim(order.key) != ClaimResult::Claimed || !spawner.start(order)) _exit(1);
  }
  std::ofstream(root + "/launcher.new") << launcher.pid();
  fs::rename(root + "/launcher.new", root + "/launcher");
  while (true) pause();
}

TEST(LauncherProgram, CarriesOutOrdersOfAWorkerThatWasKilled) {
  TemporaryDirectory root;
  const pid_t worker = fork();
  if (worker == 0) be_worker(root.path(), 2);
  ASSERT_TRUE(wait_until([&] { return fs::exists(root / "launcher"); }));
  const pid_t launcher = std::stoi(read_text(root / "launcher"));
  ASSERT_TRUE(wait_until([&] { return proc(launcher, "stat").find(") T ") != std::string::npos; }));
  kill(worker, SIGKILL);
  ASSERT_EQ(waitpid(worker, nullptr, 0), worker);

  DiskSpool spool(root / "spool");  // the next worker's
  for (JobId job : {1, 2}) EXPECT_TRUE(spool.look({job, 1, job + 100})->held) << job;
  kill(launcher, SIGCONT);
  for (JobId job : {1, 2}) {
    const LaunchKey key = {job, 1, job + 100};
    ASSERT_TRUE(wait_until([&] { return !spool.look(key)->held; }));
    ASSERT_TRUE(spool.look(key)->exit);
    EXPECT_EQ(spool.look(key)->exit->exit_code, static_cast<int>(10 + job));
  }
  EXPECT_TRUE(wait_until([&] { return !is_alive(launcher); }));
}

}  // namespace
}  // namespace hyades
