// Two ordinary users, an operator and an admin on one cluster that root has started and whose
// daemons have become a user of their own: what `hyades up` gives a site. One cluster a suite.
#pragma once

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster.hpp"
#include "test_users.hpp"

namespace hyades::test {

class TwoUsers : public testing::Test {
 public:
  static constexpr uid_t kAda = 54321;
  static constexpr uid_t kBob = 54322;
  static constexpr uid_t kDaemon = 54323;  // whom the daemons have become
  static constexpr uid_t kOperator = 54341;
  static constexpr uid_t kAdmin = 54342;

 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  static Cluster& cluster() { return *cluster_; }

  // One of the programs as this user, in the work directory, which everybody may write to.
  static CommandResult as(uid_t uid, std::vector<std::string> words, CommandOptions options = {});
  static std::unique_ptr<RunningCommand> start_as(uid_t uid, std::vector<std::string> words,
                                                  CommandOptions options = {});
  static JobId must_submit(uid_t uid, std::vector<std::string> hsub_arguments,
                           CommandOptions options = {});
  // What a job of this user printed, once it has ended.
  static std::string output_of_job(uid_t uid, const std::string& command,
                                   std::vector<std::string> options = {});
  // Starts a job of ada's that runs until its file "<name>.go" is there, and waits for its start.
  static JobId must_run(const std::string& name, std::vector<std::string> options = {});
  static void let_end(JobId job, const std::string& name);
  // Whether the master's log has this line; mpirun passes it on a moment after the answer.
  static bool is_logged(const std::string& line);
  // Where prolog and epilog leave "seen-by-prolog", "seen-by-epilog": their environments.
  static std::string hook_directory();

 private:
  static std::vector<std::string> words_as(uid_t uid, std::vector<std::string> words);
  static void make_programs_reachable();
  static void add_hooks();
  static inline std::unique_ptr<Cluster> cluster_;
  static inline std::string programs_;  // copies, when users cannot reach the others
};

// Runs `what` in a child that is this user and nothing more; its value is the child's exit code.
int as_user(uid_t uid, const std::function<int()>& what);

// The words of /proc/PID/FILE, or "" when there is no such process.
std::string read_proc(pid_t pid, const std::string& file);

}  // namespace hyades::test
