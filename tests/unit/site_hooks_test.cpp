// The site's programs around jobs: alone, and around real ones.
#include "worker/site_hooks.hpp"

#include <algorithm>
#include <fstream>

#include "node_box.hpp"
#include "worker/process_table.hpp"
#include "worker/trusted_path.hpp"

namespace hyades {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A directory of hooks that belongs to this user, as all above it does to root.
class Site {
 public:
  Site() { make("prolog.d"), make("epilog.d"), make("scripts"); }

  void add(const std::string& name, const std::string& script, mode_t mode = 0755) {
    std::ofstream(path(name)) << "#!/bin/sh\n" << script;
    EXPECT_EQ(chmod(path(name).c_str(), mode), 0);
  }
  std::string path(const std::string& name) const { return root_ / name; }
  const std::string& directory() const { return root_.path(); }

  std::string run(HookKind kind = HookKind::Prolog, int timeout_s = 60) const {
    return run_hooks({.kind = kind,
                      .directory = directory(),
                      .timeout_s = timeout_s,
                      .environment = {"PATH=/usr/bin:/bin", "HERE=" + directory()},
                      .spool_directory = directory(),
                      .title = "42.1.77"});
  }

 private:
  void make(const std::string& name) {
    std::filesystem::create_directory(path(name));
    EXPECT_EQ(chmod(path(name).c_str(), 0755), 0);
  }

  TemporaryDirectory root_;
};

TEST(SiteHooks, RunInTheOrderOfTheirNames) {
  Site site;
  site.add("prolog.d/20-second", "echo 2 >> $HERE/ran\n");
  site.add("prolog.d/10-first", "echo 1 >> $HERE/ran\n");
  site.add("prolog.d/README", "echo no >> $HERE/ran\n", 0644);
  site.add("prolog.d/.hidden", "echo no >> $HERE/ran\n");
  site.add("epilog.d/10-after", "echo 3 >> $HERE/ran\n");
  EXPECT_EQ(site.run(), "");
  EXPECT_EQ(site.run(HookKind::Epilog), "");
  EXPECT_EQ(read_text(site.path("ran")), "1\n2\n3\n");
}

TEST(SiteHooks, HaveNothingButWhatTheyAreGiven) {
  Site site;
  site.add("prolog.d/look",
           "env | sort > $HERE/environment; pwd > $HERE/cwd; umask > $HERE/umask\n"
           "ps -o pgid= -p $$ | tr -d ' ' > $HERE/group\n"
           "echo $$ > $HERE/pid; grep SigBlk /proc/self/status > $HERE/blocked\n"
           // Not by another process: the shell has files of its own open while one runs.
           "exec ls /proc/self/fd > $HERE/fds\n");
  setenv("LD_LIBRARY_PATH", "/tmp/evil", 1);
  EXPECT_EQ(site.run(), "");
  unsetenv("LD_LIBRARY_PATH");
  const std::string environment = read_text(site.path("environment"));
  EXPECT_EQ(environment, "HERE=" + site.directory() + "\nPATH=/usr/bin:/bin\nPWD=/\n");
  EXPECT_EQ(read_text(site.path("cwd")), "/\n");
  EXPECT_EQ(read_text(site.path("umask")), "0022\n");
  EXPECT_EQ(read_text(site.path("fds")), "0\n1\n2\n3\n");  // 3: the folder that is listed
  EXPECT_EQ(read_text(site.path("group")), read_text(site.path("pid")));
  EXPECT_EQ(read_text(site.path("blocked")), "SigBlk:\t0000000000000000\n");
}

TEST(SiteHooks, AFailureEndsTheRowAndSaysWhatItSaid) {
  Site site;
  site.add("prolog.d/1", "echo checking; echo no licence >&2; exit 3\n");
  site.add("prolog.d/2", "touch $HERE/ran\n");
  EXPECT_EQ(site.run(), site.path("prolog.d/1") + ": exit code 3; it said: checking\nno licence");
  EXPECT_FALSE(std::filesystem::exists(site.path("ran")));
  EXPECT_EQ(read_text(site.path("scripts/hooks.log")),
            "42.1.77 " + site.path("prolog.d/1") + ":\nchecking\nno licence\n");
  site.add("prolog.d/1", "kill -9 $$\n");
  EXPECT_EQ(site.run(), site.path("prolog.d/1") + ": signal 9");
  std::ofstream(site.path("prolog.d/1")) << "#!/no/such/shell\n";
  EXPECT_EQ(site.run(),
            site.path("prolog.d/1") + ": it cannot be run; it said: No such file or directory");
}

TEST(SiteHooks, ThatHangAreKilledWithTheirGroup) {
  Site site;
  site.add("prolog.d/1", "echo waiting; (sleep 1000 & echo $! > $HERE/child; wait) & sleep 1000\n");
  EXPECT_EQ(site.run(HookKind::Prolog, 1),
            site.path("prolog.d/1") + ": did not end within 1 s; it said: waiting");
  const pid_t child = std::stoi(read_text(site.path("child")));
  EXPECT_TRUE(wait_until([&] { return !is_alive(child); }));
}

TEST(SiteHooks, WhatTheyLeaveInTheBackgroundHoldsNobodyUp) {
  Site site;
  site.add("prolog.d/1", "sleep 1000 & echo $! > $HERE/child\n");
  EXPECT_EQ(site.run(HookKind::Prolog, 600), "");
  kill(std::stoi(read_text(site.path("child"))), SIGKILL);
}

TEST(SiteHooks, EndlessOutputIsCut) {
  Site site;
  site.add("prolog.d/1", "head -c 10000000 /dev/zero | tr '\\0' x; exit 1\n");
  EXPECT_LT(site.run().size(), 1000u);
  EXPECT_LT(read_text(site.path("scripts/hooks.log")).size(), 20000u);
}

TEST(SiteHooks, WhatOthersCouldChangeIsNotRun) {
  const auto refusal = [](auto change) {
    Site site;
    site.add("prolog.d/1", "touch $HERE/ran\n");
    change(site);
    const std::string reason = site.run();
    EXPECT_FALSE(std::filesystem::exists(site.path("ran"))) << reason;
    EXPECT_TRUE(contains(reason, site.directory())) << reason;
    return reason;
  };
  const auto chmod_to = [&](const char* name, mode_t mode) {
    return refusal([&](Site& site) { chmod(site.path(name).c_str(), mode); });
  };
  EXPECT_TRUE(contains(chmod_to("prolog.d/1", 0775), "chmod go-w"));
  EXPECT_TRUE(contains(chmod_to("prolog.d/1", 0757), "chmod go-w"));
  EXPECT_TRUE(contains(chmod_to("prolog.d", 0777), "chmod go-w"));
  EXPECT_TRUE(contains(chmod_to("prolog.d", 01777), "chmod go-w"));
  EXPECT_TRUE(contains(chmod_to("", 0777), "chmod go-w"));
  EXPECT_TRUE(contains(refusal([](Site& site) {
                         std::filesystem::rename(site.path("prolog.d"), site.path("elsewhere"));
                         std::filesystem::create_symlink(site.path("elsewhere"),
                                                         site.path("prolog.d"));
                       }),
                       "symbolic link"));
  EXPECT_TRUE(contains(refusal([](Site& site) { std::filesystem::remove_all(site.directory()); }),
                       "No such file"));
  if (geteuid() != 0) return;
  for (const char* name : {"prolog.d/1", "prolog.d", ""}) {
    EXPECT_TRUE(contains(
        refusal([&](Site& site) { ASSERT_EQ(chown(site.path(name).c_str(), 65534, 65534), 0); }),
        "belongs to uid 65534"))
        << name;
  }
}

TEST(SiteHooks, NoneAreFine) {
  Site site;
  EXPECT_EQ(site.run(), "");
  std::filesystem::remove(site.path("prolog.d"));
  EXPECT_EQ(site.run(), "");
}

TEST(TrustedPath, EveryDirectoryOnTheWayCounts) {
  EXPECT_EQ(distrust("/etc/passwd"), "");
  EXPECT_EQ(distrust("/tmp"), "others may write to /tmp; chmod go-w it");
  EXPECT_EQ(distrust("etc"), "etc is not an absolute path");
  EXPECT_TRUE(contains(distrust("/etc/../etc/passwd"), "goes through"));
  EXPECT_TRUE(contains(distrust("/no/such"), "No such file"));
  const TemporaryDirectory directory;  // in /tmp, which is sticky
  std::filesystem::create_directories(directory / "a/b");
  EXPECT_EQ(distrust(directory / "a/b"), "");
  chmod((directory / "a").c_str(), 0777);
  EXPECT_TRUE(contains(distrust(directory / "a/b"), "others may write to " + (directory / "a;")));
}

TEST(HookEnvironment, HasNothingThatAShellMightTakeForMore) {
  LaunchRecord launch;
  launch.key = {42, 2, 77};
  launch.uid = 1000;
  launch.gid = 100;
  launch.user = "ada";
  launch.node_name = "vn1";
  launch.job_name = "train-1.5_b";
  launch.environment = {"LD_PRELOAD=/tmp/evil.so"};
  const std::vector<std::string> expected = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                             "HYADES_HOOK=epilog",
                                             "HYADES_JOB_ID=42",
                                             "HYADES_JOB_UID=1000",
                                             "HYADES_JOB_GID=100",
                                             "HYADES_COMPANION=0",
                                             "HYADES_JOB_USER=ada",
                                             "HYADES_NODENAME=vn1",
                                             "HYADES_JOB_NAME=train-1.5_b"};
  EXPECT_EQ(hook_environment(launch, HookKind::Epilog), expected);
  for (const char* name : {"$(id)", "a b", "-rf", "..", "a\nB=1", "", "a;b", "caf\xc3\xa9"}) {
    launch.job_name = name;
    EXPECT_EQ(hook_environment(launch, HookKind::Epilog).size(), expected.size() - 1) << name;
  }
}

// ---- Around jobs -------------------------------------------------------------------------------

class Hooked : public testing::Test {
 protected:
  Hooked() {
    NodeSettings settings;
    settings.allow_root_jobs = true;
    settings.hook_directory = site_.directory();
    settings.hook_timeout_s = 5;
    box_.spawner->configure(settings);
  }
  void add(const std::string& name, std::string script) {
    site_.add(name, "BOX=" + box_.root.path() + "\n" + script);
  }
  SpoolRecord end_of(const LaunchOrder& order) {
    box_.start(order);
    return box_.wait_for_end(order.key);
  }

  Site site_;
  NodeBox box_;
};

TEST_F(Hooked, BeforeAndAfterTheJob) {
  add("prolog.d/1", "echo prolog $HYADES_HOOK $HYADES_JOB_ID >> $BOX/story\n");
  add("epilog.d/1",
      "pgrep -f 'sleep 98765' > /dev/null && echo alive >> $BOX/story; test -e $BOX/out || exit 1\n"
      "echo epilog $HYADES_HOOK >> $BOX/story\n");
  const SpoolRecord end =
      end_of(box_.order("#!/bin/sh\nsleep 98765 & echo job >> story; exit 4\n"));
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->exit_code, 4);
  EXPECT_EQ(end.exit->epilog_error, "");
  EXPECT_EQ(box_.output("story"), "prolog prolog 1\njob\nepilog epilog\n");
}

TEST_F(Hooked, WithoutItsPrologNoJobStarts) {
  add("prolog.d/1", "echo the disk is gone; exit 1\n");
  add("epilog.d/1", "touch $BOX/epilog\n");
  const LaunchOrder order = box_.order("#!/bin/sh\ntouch ran\n");
  const SpoolRecord end = end_of(order);
  EXPECT_FALSE(end.exit);
  EXPECT_EQ(end.started_ms, 0);
  EXPECT_EQ(end.refusal, "the node's prolog failed: " + site_.path("prolog.d/1") +
                             ": exit code 1; it said: the disk is gone");
  EXPECT_FALSE(std::filesystem::exists(box_.root / "ran"));
  EXPECT_FALSE(std::filesystem::exists(box_.root / "epilog"));
  EXPECT_TRUE(contains(read_text(box_.root / "spool/scripts/hooks.log"), "the disk is gone\n"));
}

TEST_F(Hooked, AFailedEpilogIsToldAndTheResultStands) {
  add("epilog.d/1", "echo cannot unmount; exit 9\n");
  const SpoolRecord end = end_of(box_.order("#!/bin/sh\nexit 6\n"));
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->exit_code, 6);
  EXPECT_EQ(end.exit->epilog_error,
            site_.path("epilog.d/1") + ": exit code 9; it said: cannot unmount");
}

TEST_F(Hooked, AJobThatCannotStartHasItsEpilog) {
  add("prolog.d/1", "touch $BOX/prolog\n");
  add("epilog.d/1", "touch $BOX/epilog; exit 1\n");
  LaunchOrder order = box_.order("#!/bin/sh\n");
  order.payload.working_directory = "/does/not/exist";
  const SpoolRecord end = end_of(order);
  ASSERT_TRUE(end.exit);
  EXPECT_NE(end.exit->launch_error, "");
  EXPECT_NE(end.exit->epilog_error, "");
  EXPECT_TRUE(std::filesystem::exists(box_.root / "epilog"));
}

// The job's time does not run while the node is being prepared or cleaned.
TEST_F(Hooked, TheirTimeIsNotTheJobs) {
  add("prolog.d/1", "sleep 2\n");
  add("epilog.d/1", "sleep 2\n");
  LaunchOrder order = box_.order("#!/bin/sh\nexit 0\n");
  order.spec.time_limit_s = 2;
  const SpoolRecord end = end_of(order);
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->stopped, StopReason::None);
  EXPECT_LT(end.exit->ended_ms - end.exit->started_ms, 2000);
}

TEST_F(Hooked, WhatTheyLeaveRunningGoesWithTheJob) {
  add("prolog.d/1", "setsid sleep 1000 & echo $! > $BOX/one\n");
  add("epilog.d/1", "setsid sleep 1000 & echo $! > $BOX/two\n");
  ASSERT_TRUE(end_of(box_.order("#!/bin/sh\n")).exit);
  for (const char* name : {"one", "two"}) {
    const pid_t pid = std::stoi(box_.output(name));
    EXPECT_TRUE(wait_until([&] { return !is_alive(pid); })) << name;
  }
}

// By then the job's control group is gone, and the one above it has all other jobs in it.
TEST_F(Hooked, WhatTheyLeaveRunningTakesNoOtherJobAlong) {
  add("epilog.d/1", "setsid sleep 1000 &\n");
  const LaunchOrder bystander =
      box_.order("#!/bin/sh\ntouch runs; until [ -e go ]; do sleep 0.05; done; exit 7\n");
  box_.start(bystander);
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(box_.root / "runs"); }));
  ASSERT_TRUE(end_of(box_.order("#!/bin/sh\n")).exit);
  std::ofstream(box_.root / "go") << "go";
  const SpoolRecord end = box_.wait_for_end(bystander.key);
  ASSERT_TRUE(end.exit);
  EXPECT_EQ(end.exit->signal, 0);
  EXPECT_EQ(end.exit->exit_code, 7);
}

// Whatever a user can say must not get into what root runs.
TEST_F(Hooked, NothingOfTheUsersReachesThem) {
  add("prolog.d/1", "env > $BOX/environment\n");
  LaunchOrder order = box_.order("#!/bin/sh\n");
  for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "IFS", "PYTHONPATH",
                           "PERL5LIB", "SPANK_X", "BASH_FUNC_x%%"}) {
    order.payload.environment.push_back(std::string(name) + "=evil");
  }
  order.payload.environment.push_back("PATH=/tmp/evil");
  order.spec.name = "$(touch evil)";
  ASSERT_TRUE(end_of(order).exit);
  const std::string environment = box_.output("environment");
  EXPECT_FALSE(contains(environment, "evil")) << environment;
  EXPECT_TRUE(contains(environment, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n")) << environment;
}

}  // namespace
}  // namespace hyades
