#include "two_users.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <fstream>

#include "wait_until.hpp"

namespace hyades::test {

namespace {

constexpr const char* kPrograms[] = {"hyades",       "hyadesd",        "hyades-launcher",
                                     "hyades-munge", "hyades-sampler", "hyades-stepd",
                                     "hsub",         "hrun",           "hrsh",
                                     "hreport",      "hstat",          "hcancel",
                                     "hinfo",        "hacct",          "hwait",
                                     "hctl",         "hyades-trainer"};

ClusterOptions options() {
  return {.nodes = 2,
          .cores = 4,
          .config =
              "[security]\nuser = \"hyades-daemon\"\noperators = [54341]\nadmins = "
              "[54342]\n\n[[queue]]\nname = \"batch\"\n\n[[queue]]\nname = \"small\"\n"
              "max_queued_per_user = 3\n"};
}

// A machine on which programs dump core unless they see to it that they do not.
void allow_core_dumps() {
  rlimit core{};
  getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = core.rlim_max;
  setrlimit(RLIMIT_CORE, &core);
}

}  // namespace

// As deep in the file system as ordinary users can see.
void TwoUsers::make_programs_reachable() {
  const std::string there = program("hstat");
  if (as_user(kBob, [&] { return access(there.c_str(), X_OK); }) == 0) return;
  programs_ = make_directory();
  for (const char* name : kPrograms) {
    std::filesystem::copy_file(program(name), programs_ + '/' + name);
  }
  chmod(programs_.c_str(), 0755);
  setenv("HYADES_TEST_PROGRAMS", programs_.c_str(), 1);
}

// Each writes down what it finds in its environment.
void TwoUsers::add_hooks() {
  const std::string hooks = hook_directory();
  for (const char* kind : {"prolog", "epilog"}) {
    const std::string directory = hooks + '/' + kind + ".d";
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/look")
        << "#!/bin/sh\nenv > " << hooks << "/seen-by-" << kind << "\n";
    chmod((directory + "/look").c_str(), 0755);
  }
  cluster_->configure(cluster_->options().config + "\n[jobs]\nhook_directory = \"" + hooks +
                      "\"\n");
}

std::string TwoUsers::hook_directory() {
  const std::string& state = cluster_->directory();
  return state.substr(0, state.rfind('/')) + "/hooks";
}

void TwoUsers::SetUpTestSuite() {
  if (geteuid() != 0) return;
  test_users();
  // What Hyades puts into /run is seen by this suite alone, and goes with it.
  ASSERT_EQ(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"), 0) << std::strerror(errno);
  allow_core_dumps();
  make_programs_reachable();
  cluster_ = std::make_unique<Cluster>(options());
  add_hooks();
  const std::string state = cluster_->directory();
  chmod((state + "/..").c_str(), 0711);
  chmod(state.c_str(), 0711);
  chmod(cluster_->work().c_str(), 01777);
  ASSERT_EQ(chown(state.c_str(), kDaemon, kDaemon), 0);
  chmod((state + "/hyades.toml").c_str(), 0644);  // root's, and the daemons read it
  cluster_->must_up();
}

void TwoUsers::TearDownTestSuite() {
  if (!cluster_) return;
  cluster_.reset();
  umount2("/run", MNT_DETACH);
  if (programs_.empty()) return;
  unsetenv("HYADES_TEST_PROGRAMS");
  std::filesystem::remove_all(programs_);
}

void TwoUsers::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "only root can serve several users";
}

std::vector<std::string> TwoUsers::words_as(uid_t uid, std::vector<std::string> words) {
  if (words.front().find('/') == std::string::npos) words.front() = program(words.front());
  const std::string id = std::to_string(uid);
  std::vector<std::string> line{"/usr/bin/setpriv", "--reuid=" + id, "--regid=" + id,
                                "--clear-groups", "--"};
  line.insert(line.end(), words.begin(), words.end());
  return line;
}

CommandResult TwoUsers::as(uid_t uid, std::vector<std::string> words, CommandOptions options) {
  return cluster().run(words_as(uid, std::move(words)), std::move(options));
}

std::unique_ptr<RunningCommand> TwoUsers::start_as(uid_t uid, std::vector<std::string> words,
                                                   CommandOptions options) {
  return cluster().start(words_as(uid, std::move(words)), std::move(options));
}

JobId TwoUsers::must_submit(uid_t uid, std::vector<std::string> hsub_arguments,
                            CommandOptions options) {
  std::vector<std::string> words{"hsub", "--parsable"};
  words.insert(words.end(), hsub_arguments.begin(), hsub_arguments.end());
  const CommandResult result = as(uid, words, std::move(options));
  const JobId id = std::strtoull(result.out.c_str(), nullptr, 10);
  EXPECT_NE(id, 0u) << result.text() << cluster().log();
  return id;
}

std::string TwoUsers::output_of_job(uid_t uid, const std::string& command,
                                    std::vector<std::string> options) {
  const std::string out = "out-of-" + std::to_string(uid);
  options.insert(options.end(), {"-o", out, "--wrap", command});
  const Json job = cluster().must_wait(must_submit(uid, options));
  EXPECT_EQ(job["state"], "COMPLETED") << job.dump(2);
  return cluster().read_file(out);
}

JobId TwoUsers::must_run(const std::string& name, std::vector<std::string> options) {
  options.insert(options.end(), {"-o", name + ".out", "--wrap",
                                 "echo here; until test -e " + name + ".go; do sleep 0.05; done"});
  const JobId id = must_submit(kAda, options);
  EXPECT_TRUE(cluster().wait_for_output(name + ".out", "here")) << cluster().job(id).dump(2);
  return id;
}

void TwoUsers::let_end(JobId job, const std::string& name) {
  cluster().write_file(name + ".go", "");
  EXPECT_EQ(cluster().must_wait(job)["state"], "COMPLETED");
}

bool TwoUsers::is_logged(const std::string& line) {
  return wait_until([&] { return cluster().log().find(line + '\n') != std::string::npos; });
}

int as_user(uid_t uid, const std::function<int()>& what) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
      _exit(125);
    }
    _exit(what() & 0xff);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string read_proc(pid_t pid, const std::string& file) {
  return read_whole("/proc/" + std::to_string(pid) + '/' + file);
}

}  // namespace hyades::test
