// Jobs with a PAM service: the machine's own library and modules, and service files that only this
// process and its children see.
#include <sys/mount.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "node_box.hpp"
#include "test_users.hpp"
#include "worker/pam_session.hpp"
#include "worker/process_table.hpp"

namespace hyades {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool has_module(const std::string& name) {
  for (const char* directory :
       {"/lib/x86_64-linux-gnu/security/", "/lib/aarch64-linux-gnu/security/", "/lib64/security/",
        "/usr/lib64/security/", "/lib/security/", "/usr/lib/security/"}) {
    if (std::filesystem::exists(directory + name)) return true;
  }
  return false;
}

// /etc/pam.d as this process and its children see it.
class Services {
 public:
  Services() {
    test_users();  // with a mount name space of our own
    mount(directory_.path().c_str(), "/etc/pam.d", nullptr, MS_BIND, nullptr);
    chmod(directory_.path().c_str(), 0755);
    write("other",
          "auth required pam_deny.so\naccount required pam_deny.so\n"
          "session required pam_deny.so\n");
  }
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;
  ~Services() { umount2("/etc/pam.d", MNT_DETACH); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
  }

 private:
  TemporaryDirectory directory_;
};

class Pam : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can open sessions of other users";
    PamLibrary library;
    const std::string trouble = load_pam(library);
    if (!trouble.empty()) GTEST_SKIP() << trouble;
    for (const char* module : {"pam_permit.so", "pam_deny.so", "pam_exec.so"}) {
      if (!has_module(module)) GTEST_SKIP() << module << " is not here";
    }
    services_ = std::make_unique<Services>();
    start_node();
    std::ofstream(box_->root / "note")
        << "#!/bin/sh\numask 022\necho $PAM_TYPE $PAM_USER $PAM_SERVICE $PAM_TTY"
           " \"[$PAM_RUSER] [$PAM_RHOST]\" $(id -u) >> "
        << log_path() << "\n";
    chmod((box_->root / "note").c_str(), 0755);
    settings_.pam_service = "hyades";
    settings_.hook_timeout_s = 30;
    settings_.no_new_privileges = true;
    configure();
  }
  void start_node(const std::string& failpoints = "") {
    box_ = std::make_unique<NodeBox>(failpoints);
    chmod(box_->root.path().c_str(), 01777);
  }
  void configure() { box_->spawner->configure(settings_); }

  std::string log_path() const { return box_->root / "log"; }
  std::string log() const { return read_text(log_path()); }
  std::string note() const { return "pam_exec.so quiet " + (box_->root / "note"); }

  // With everything that a service needs but for `account` and `session`.
  void service(const std::string& account, const std::string& session) {
    services_->write("hyades", "auth required pam_permit.so\naccount " + account + "\n" + session);
  }
  // One that notes what it is asked for.
  void noting_service() { service("required pam_permit.so", "session required " + note() + "\n"); }
  LaunchOrder adas(const std::string& script) {
    LaunchOrder order = box_->order(script);
    become(order, test_users().ada);
    return order;
  }
  // Its reason, and nothing of it ran.
  std::string failure(const LaunchOrder& order) {
    const ExitRecord exit = box_->run(order);
    EXPECT_FALSE(std::filesystem::exists(box_->root / "ran"));
    EXPECT_EQ(keeper(), 0);
    return exit.launch_error;
  }
  // Everywhere: what is left when its parents have gone is nobody's descendant. 0: none.
  static pid_t process_with(const std::string& name, const std::string& argument) {
    for (const Process& process : read_processes()) {
      const std::string path = "/proc/" + std::to_string(process.pid) + "/cmdline";
      if (process.name == name && contains(read_text(path), argument)) return process.pid;
    }
    return 0;
  }
  pid_t keeper() const { return process_with("hyades-pam", box_->root.path()); }

  std::unique_ptr<Services> services_;
  std::unique_ptr<NodeBox> box_;
  NodeSettings settings_;
};

constexpr const char* opened = "open_session hyades-ada hyades hyades [hyades-ada] [] 0\n";
constexpr const char* closed = "close_session hyades-ada hyades hyades [hyades-ada] [] 0\n";
constexpr const char* runs = "#!/bin/sh\ntouch ran\n";

TEST_F(Pam, ASessionIsOpenAsLongAsTheJobLives) {
  noting_service();
  LaunchOrder order = adas("#!/bin/sh\ncat " + log_path() + "; id -un; exit 3\n");
  const ExitRecord exit = box_->run(order);
  EXPECT_EQ(exit.exit_code, 3) << exit.launch_error;
  EXPECT_EQ(exit.epilog_error, "");
  EXPECT_EQ(exit.left_behind, 0);
  EXPECT_EQ(box_->output(), std::string(opened) + "hyades-ada\n");
  EXPECT_EQ(log(), std::string(opened) + closed);
  EXPECT_EQ(keeper(), 0);
}

TEST_F(Pam, WhatAJobLeavesIsKilledBeforeItsSessionIsClosed) {
  std::ofstream(box_->root / "count")
      << "#!/bin/sh\necho $PAM_TYPE $(pgrep -c -f 'sleep 98765') >> " << log_path() << "\n";
  chmod((box_->root / "count").c_str(), 0755);
  service("required pam_permit.so",
          "session required pam_exec.so quiet " + (box_->root / "count") + "\n");
  const ExitRecord exit =
      box_->run(adas("#!/bin/sh\nsetsid sleep 98765 &\nnohup sleep 98765 > /dev/null 2>&1 &\n"
                     "until test $(pgrep -c -f 'sleep 98765') = 2; do sleep 0.01; done\n"));
  EXPECT_EQ(exit.left_behind, 2);
  EXPECT_EQ(log(), "open_session 0\nclose_session 0\n");
}

TEST_F(Pam, TheSessionOfAJobThatIsKilledIsClosedAsWell) {
  noting_service();
  const LaunchOrder order = adas("#!/bin/sh\ntouch here\nexec sleep 1000\n");
  box_->start(order);
  box_->wait_for_file("here");
  EXPECT_NE(keeper(), 0);
  box_->spawner->stop(order.key, StopReason::Cancelled, 0);
  const SpoolRecord record = box_->wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->stopped, StopReason::Cancelled);
  EXPECT_EQ(log(), std::string(opened) + closed);
}

TEST_F(Pam, TheSessionIsClosedWhenTheShepherdIsKilled) {
  noting_service();
  const LaunchOrder order = adas("#!/bin/sh\ntouch here\nexec sleep 1000\n");
  box_->start(order);
  box_->wait_for_file("here");
  ASSERT_EQ(kill(box_->content(order.key).started->shepherd_pid, SIGKILL), 0);
  EXPECT_TRUE(wait_until([&] { return log() == std::string(opened) + closed; })) << log();
  box_->wait_for_end(order.key);
}

TEST_F(Pam, AKeeperThatIsKilledCostsTheJobNothing) {
  noting_service();
  const LaunchOrder order =
      adas("#!/bin/sh\ntouch here\nuntil test -e go; do sleep 0.01; done; exit 5\n");
  box_->start(order);
  box_->wait_for_file("here");
  ASSERT_EQ(kill(keeper(), SIGKILL), 0);
  std::ofstream(box_->root / "go") << "";
  const SpoolRecord record = box_->wait_for_end(order.key);
  ASSERT_TRUE(record.exit);
  EXPECT_EQ(record.exit->exit_code, 5);
  EXPECT_TRUE(contains(record.exit->epilog_error, "\"hyades\" was not closed"))
      << record.exit->epilog_error;
}

TEST_F(Pam, AJobCannotReachItsKeeper) {
  noting_service();
  LaunchOrder order = adas(
      "#!/bin/bash\ncd /proc\nfor p in [0-9]*; do\n  name=; read -r name 2> /dev/null < $p/comm\n"
      "  if [ \"$name\" = hyades-pam ] && grep -q " +
      box_->root.path() +
      " $p/cmdline; then\n"
      "    echo found; kill -9 $p 2> /dev/null && echo killed; cat $p/environ 2> /dev/null\n"
      "  fi\ndone\nls /proc/self/fd | wc -l\n");
  box_->run(order);
  EXPECT_EQ(box_->output(), "found\n4\n");  // with the directory itself
  EXPECT_EQ(log(), std::string(opened) + closed);
}

TEST_F(Pam, ACompanionHasASession) {
  noting_service();
  std::ofstream(box_->root / "step")
      << "#!/bin/sh\ncat " << log_path() << " > " << log_path() << ".seen\nexit 0\n";
  chmod((box_->root / "step").c_str(), 0755);
  std::ofstream(log_path() + ".seen") << "";
  chmod((log_path() + ".seen").c_str(), 0666);
  LaunchRecord record = box_->plain_record("");
  record.user = "hyades-ada";
  record.uid = record.gid = 54321;
  record.companion = true;
  record.step_program = box_->root / "step";
  record.pam_service = "hyades";
  box_->start(record);
  EXPECT_TRUE(box_->wait_for_end(record.key).exit);
  EXPECT_EQ(read_text(log_path() + ".seen"), opened);
  EXPECT_EQ(log(), std::string(opened) + closed);
}

// ---- who is not let in ----------------------------------------------------------------------

TEST_F(Pam, ADeniedAccountDoesNotStart) {
  service("required pam_deny.so", "session required " + note() + "\n");
  const std::string reason = failure(adas(runs));
  EXPECT_TRUE(reason.starts_with("PAM service \"hyades\" does not admit user \"hyades-ada\": "))
      << reason;
  EXPECT_EQ(log(), "");
}

TEST_F(Pam, AModuleSaysWhyItDenies) {
  if (!has_module("pam_echo.so")) GTEST_SKIP() << "pam_echo.so is not here";
  std::ofstream(box_->root / "why") << "the rent is\ndue\n";
  service("optional pam_echo.so file=" + (box_->root / "why") + "\naccount required pam_deny.so",
          "");
  const std::string reason = failure(adas(runs));
  EXPECT_TRUE(contains(reason, "; it said: the rent is due")) << reason;
}

TEST_F(Pam, AccessRulesHold) {
  if (!has_module("pam_access.so")) GTEST_SKIP() << "pam_access.so is not here";
  std::ofstream(box_->root / "access") << "+:hyades-ada:LOCAL\n-:ALL:ALL\n";
  service("required pam_access.so accessfile=" + (box_->root / "access"),
          "session required pam_permit.so\n");
  EXPECT_EQ(box_->run(adas("#!/bin/sh\n")).launch_error, "");
  LaunchOrder bobs = box_->order(runs);
  become(bobs, test_users().bob);
  EXPECT_TRUE(failure(bobs).starts_with("PAM service \"hyades\" does not admit user"));
}

TEST_F(Pam, ASessionThatIsRefusedIsTheEndOfIt) {
  service("required pam_permit.so", "session required pam_deny.so\n");
  const std::string reason = failure(adas(runs));
  EXPECT_TRUE(reason.starts_with("PAM service \"hyades\" opens no session for user")) << reason;
}

TEST_F(Pam, CredentialsThatAreRefusedAreTheEndOfIt) {
  services_->write("hyades",
                   "auth required pam_deny.so\naccount required pam_permit.so\n"
                   "session required " +
                       note() + "\n");
  const std::string reason = failure(adas(runs));
  EXPECT_TRUE(reason.starts_with("PAM service \"hyades\" has no credentials for user")) << reason;
  EXPECT_EQ(log(), "");
}

TEST_F(Pam, AServiceWithoutAFileIsNotTakenForOther) {
  services_->write("other",
                   "auth required pam_permit.so\naccount required pam_permit.so\n"
                   "session required pam_permit.so\n");
  EXPECT_EQ(failure(adas(runs)),
            "there is no PAM service \"hyades\" on this node: /etc/pam.d/hyades does not exist");
}

TEST_F(Pam, AMissingModuleIsTold) {
  service("required pam_of_nobody.so", "");
  EXPECT_TRUE(failure(adas(runs)).starts_with("PAM service \"hyades\" does not admit"));
}

TEST_F(Pam, AMissingLibraryIsTold) {
  PamLibrary library;
  ASSERT_EQ(load_pam(library), "");
  // The first in the loader's cache, hidden by what is no library.
  std::string path;
  for (const char* directory : {"/lib/x86_64-linux-gnu/", "/lib/aarch64-linux-gnu/", "/lib64/"}) {
    if (path.empty() && std::filesystem::exists(std::string(directory) + "libpam.so.0")) {
      path = std::filesystem::canonical(std::string(directory) + "libpam.so.0");
    }
  }
  if (path.empty()) GTEST_SKIP() << "libpam.so.0 is somewhere else";
  ASSERT_EQ(mount("/dev/null", path.c_str(), nullptr, MS_BIND, nullptr), 0) << strerror(errno);
  noting_service();
  const std::string reason = failure(adas(runs));
  umount2(path.c_str(), MNT_DETACH);
  EXPECT_TRUE(reason.starts_with("PAM service \"hyades\": the PAM library")) << reason;
}

TEST_F(Pam, AModuleThatHangsIsGivenUp) {
  settings_.hook_timeout_s = 1;
  configure();
  service("required pam_exec.so quiet /bin/sleep 98764", "session required pam_permit.so\n");
  const std::string reason = failure(adas(runs));
  EXPECT_EQ(reason,
            "PAM service \"hyades\" did not answer for user \"hyades-ada\" within 1 s; one of its "
            "modules hangs");
  EXPECT_EQ(process_with("sleep", "98764"), 0);
}

TEST_F(Pam, AModuleThatHangsAtTheEndIsToldAndKilled) {
  settings_.hook_timeout_s = 1;
  configure();
  std::ofstream(box_->root / "hang") << "#!/bin/sh\ntest $PAM_TYPE = open_session || sleep 98763\n";
  chmod((box_->root / "hang").c_str(), 0755);
  service("required pam_permit.so",
          "session required pam_exec.so quiet " + (box_->root / "hang") + "\n");
  const ExitRecord exit = box_->run(adas("#!/bin/sh\nexit 4\n"));
  EXPECT_EQ(exit.exit_code, 4);
  EXPECT_EQ(exit.epilog_error,
            "closing the session of PAM service \"hyades\" did not finish within 1 s");
  EXPECT_EQ(keeper(), 0);
  EXPECT_EQ(process_with("sleep", "98763"), 0);
}

TEST_F(Pam, ASessionGoesWithALaunchThatFails) {
  noting_service();
  LaunchOrder order = adas(runs);
  order.payload.working_directory = "/does/not/exist";
  EXPECT_TRUE(contains(failure(order), "/does/not/exist"));
  order = adas("#!/no/such/shell\n");
  EXPECT_TRUE(contains(failure(order), "/no/such/shell"));
  EXPECT_EQ(log(), std::string(opened) + closed + opened + closed);
}

TEST_F(Pam, ExpiredAccountsAndPasswordsAreRefused) {
  if (!has_module("pam_unix.so")) GTEST_SKIP() << "pam_unix.so is not here";
  services_->write("hyades",
                   "auth required pam_permit.so\naccount required pam_unix.so\n"
                   "session required pam_permit.so\n");
  // ada's password has to be changed, and a job has nobody to ask for a new one; bob's account is
  // over.
  std::ofstream(box_->root / "shadow") << read_text("/etc/shadow")
                                       << "hyades-ada:*:0:0:99999:7:::\n"
                                          "hyades-bob:*:19000:0:99999:7::1:\n";
  chmod((box_->root / "shadow").c_str(), 0600);
  ASSERT_EQ(mount((box_->root / "shadow").c_str(), "/etc/shadow", nullptr, MS_BIND, nullptr), 0);
  const std::string ada = failure(adas(runs));
  LaunchOrder bobs = box_->order(runs);
  become(bobs, test_users().bob);
  const std::string bob = failure(bobs);
  umount2("/etc/shadow", MNT_DETACH);
  EXPECT_TRUE(bob.starts_with("PAM service \"hyades\" does not admit user \"hyades-bob\"")) << bob;
  EXPECT_TRUE(contains(bob, "expired")) << bob;
  EXPECT_TRUE(ada.starts_with("PAM service \"hyades\" does not admit user \"hyades-ada\"")) << ada;
}

// ---- what a session is like -----------------------------------------------------------------

TEST_F(Pam, LimitsAreTheJobsAlone) {
  if (!has_module("pam_limits.so")) GTEST_SKIP() << "pam_limits.so is not here";
  std::ofstream(box_->root / "limits") << "hyades-ada hard nofile 77\nhyades-ada soft core 4\n"
                                          "hyades-ada - memlock 123\n";
  service("required pam_permit.so",
          "session required pam_limits.so conf=" + (box_->root / "limits") + "\nsession required " +
              note() + "\n");
  EXPECT_EQ(box_->run(adas("#!/bin/bash\nulimit -Hn; ulimit -l; ulimit -c\n"
                           "grep 'open files' /proc/$PPID/limits > shepherds\n"))
                .launch_error,
            "");
  EXPECT_EQ(box_->output(), "77\n123\n4\n");
  rlimit own = {};
  getrlimit(RLIMIT_NOFILE, &own);
  EXPECT_TRUE(contains(box_->output("shepherds"), std::to_string(own.rlim_max)));
  EXPECT_TRUE(contains(log(), closed));
}

TEST_F(Pam, VariablesAreAddedAndReplaceNothing) {
  if (!has_module("pam_env.so")) GTEST_SKIP() << "pam_env.so is not here";
  std::ofstream(box_->root / "variables")
      << "FROM_PAM=yes\nUSERS_OWN=pams\nLD_PRELOAD=/nothing.so\nHYADES_JOB_ID=999\n"
         "HYADES_OTHER=1\nSLURM_JOB_ID=999\nOMPI_COMM_WORLD_RANK=1\n";
  service("required pam_permit.so",
          "session required pam_env.so readenv=1 conffile=/dev/null envfile=" +
              (box_->root / "variables") + "\n");
  LaunchOrder order = adas("#!/bin/sh\nenv\n");
  order.payload.environment.push_back("USERS_OWN=own");
  EXPECT_EQ(box_->run(order).launch_error, "");
  const std::string all = '\n' + box_->output();
  EXPECT_TRUE(contains(all, "\nFROM_PAM=yes\n")) << all;
  EXPECT_TRUE(contains(all, "\nUSERS_OWN=own\n"));
  EXPECT_TRUE(contains(all, "\nHYADES_JOB_ID=" + std::to_string(order.key.job) + "\n"));
  for (const char* absent : {"pams", "LD_PRELOAD", "999", "HYADES_OTHER", "SLURM_", "OMPI_COMM"}) {
    EXPECT_FALSE(contains(all, absent)) << absent << all;
  }
}

TEST_F(Pam, ModulesSeeNothingOfTheDaemonsEnvironment) {
  service("required pam_permit.so", "session required pam_permit.so\n");
  const pid_t child = fork();
  if (child == 0) {
    setenv("HYADES_TEST_SECRET", "known", 1);
    PamSession session;
    if (!session.open("hyades", "hyades-ada").empty()) _exit(1);
    if (getenv("HYADES_TEST_SECRET") != nullptr) _exit(2);
    _exit(session.close().empty() ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(Pam, ManyAtOnceEachHaveTheirOwn) {
  noting_service();
  std::vector<LaunchKey> keys;
  for (int i = 0; i < 20; ++i) {
    LaunchOrder order = adas("#!/bin/sh\n(setsid sleep 1000 &)\nexit 2\n");
    order.payload.stdout_path = "/dev/null";
    box_->start(order);
    keys.push_back(order.key);
  }
  for (const LaunchKey& key : keys) {
    const SpoolRecord record = box_->wait_for_end(key);
    ASSERT_TRUE(record.exit);
    EXPECT_EQ(record.exit->exit_code, 2);
    EXPECT_EQ(record.exit->epilog_error, "");
  }
  const std::string all = log();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 40);
  EXPECT_EQ(keeper(), 0);
}

// Never judged.
TEST_F(Pam, CostIsPrinted) {
  service("required pam_permit.so", "session required pam_permit.so\n");
  for (const char* name : {"", "hyades"}) {
    settings_.pam_service = name;
    configure();
    constexpr int jobs = 100;
    const auto begin = std::chrono::steady_clock::now();
    std::vector<LaunchKey> keys;
    for (int i = 0; i < jobs; ++i) {
      const LaunchOrder order = adas("#!/bin/sh\n");
      box_->start(order);
      keys.push_back(order.key);
    }
    for (const LaunchKey& key : keys) box_->wait_for_end(key);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    std::cout << "[     COST ] " << took.count() / jobs << " ms a job "
              << (*name == 0 ? "without" : "with") << " PAM\n";
  }
}

TEST(PamAdditions, TakeOnlyVariables) {
  EXPECT_EQ(
      pam_additions({"A=1", "B", "=2", "1C=3", "D-E=4", "F=", "LD_X=1", "LDX=1", "A=2"}, {"F=old"}),
      (std::vector<std::string>{"A=1", "LDX=1"}));
}

TEST(PamServices, ArePlainFileNames) {
  for (const char* name : {"hyades", "My-job_2.x"}) EXPECT_TRUE(is_pam_service(name)) << name;
  for (const char* name : {"", ".", "../su", "a/b", "a b", "a\n"}) {
    EXPECT_FALSE(is_pam_service(name)) << name;
  }
}

}  // namespace
}  // namespace hyades
