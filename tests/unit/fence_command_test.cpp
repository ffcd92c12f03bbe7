// The site's command that cuts a node's power: what counts as done, and that nobody waits for it.
#include "master/fence_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "e2e/wait_until.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FenceCommandTest : public testing::Test {
 protected:
  FenceCommandTest() : fence_([this]() -> const ClusterConfig& { return config_; }) {
    char name[] = "/tmp/hyades-fence-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~FenceCommandTest() override { fs::remove_all(root_); }

  // A shell script as the command of the site.
  void command(const std::string& text, std::vector<std::string> arguments = {}) {
    const fs::path program = root_ / "fence";
    std::ofstream(program) << "#!/bin/sh\n" << text << "\n";
    fs::permissions(program, fs::perms::owner_all);
    config_.fence_command = {program};
    for (std::string& argument : arguments) config_.fence_command.push_back(argument);
  }
  FenceResult result() {
    std::vector<FenceResult> results;
    EXPECT_TRUE(test::wait_until([&] {
      fence_.poll(results);
      return !results.empty();
    }));
    return results.empty() ? FenceResult{} : results.front();
  }
  FenceResult result_of(const std::string& node) {
    fence_.start(node);
    return result();
  }
  std::string content(const std::string& name) {
    std::ifstream file(root_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Its parent may take its time to reap it.
  static bool is_dead(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    return stat.empty() || stat.find(") Z ") != stat.npos;
  }

  ClusterConfig config_;
  fs::path root_;
  FenceCommand fence_;
};

TEST_F(FenceCommandTest, OnlyExitCodeZeroIsProof) {
  command("exit 0");
  const FenceResult good = result_of("n1");
  EXPECT_TRUE(good.ok);
  EXPECT_EQ(good.node, "n1");
  command("exit 3");
  const FenceResult bad = result_of("n1");
  EXPECT_FALSE(bad.ok);
  EXPECT_THAT(bad.what, HasSubstr("exit code 3"));
  command("kill -9 $$");
  EXPECT_THAT(result_of("n1").what, HasSubstr("signal 9"));
}

TEST_F(FenceCommandTest, WhatCannotRunSaysWhy) {
  config_.fence_command = {root_ / "nothing"};
  const FenceResult missing = result_of("n1");
  EXPECT_FALSE(missing.ok);
  EXPECT_THAT(missing.what, HasSubstr("No such file"));
}

// Whoever reads the log can run it again.
TEST_F(FenceCommandTest, TheLogHasTheWholeCommand) {
  std::ostringstream log;
  const auto usual = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  command("exit 0", {"--off", "bmc7"});
  EXPECT_TRUE(result_of("n1").ok);
  spdlog::set_default_logger(usual);
  EXPECT_THAT(log.str(), HasSubstr("running " + (root_ / "fence").string() + " --off bmc7 n1\n"));
}

// The node is the last argument; nothing of the master's environment or files is there.
TEST_F(FenceCommandTest, GetsTheNodeAndNothingOfTheMaster) {
  setenv("LD_PRELOAD_X", "secret", 1);
  command("echo \"$@\" >$1/words; env >$1/env; pwd >$1/where; ls /proc/self/fd | wc -l >$1/files",
          {root_});
  EXPECT_TRUE(result_of("n 1; true").ok);
  unsetenv("LD_PRELOAD_X");
  EXPECT_EQ(content("words"), root_.string() + " n 1; true\n");
  EXPECT_THAT(content("env"), HasSubstr("PATH=/usr/sbin:"));
  EXPECT_THAT(content("env"), testing::Not(HasSubstr("secret")));
  EXPECT_EQ(content("where"), "/\n");
  EXPECT_EQ(content("files"), "4\n");  // 0, 1, 2 and the folder that ls reads
}

// What it started is ended with it, and others are served meanwhile.
TEST_F(FenceCommandTest, WhatTakesTooLongIsKilledAndHasFailed) {
  config_.fence_timeout_s = 1;
  command("sleep 1000 & echo $! >" + root_.string() + "/pid; sleep 1000");
  const FenceResult late = result_of("n1");
  EXPECT_FALSE(late.ok);
  EXPECT_THAT(late.what, HasSubstr("took too long"));
  EXPECT_TRUE(test::wait_until([&] { return is_dead(std::stoi(content("pid"))); }));
  std::vector<FenceResult> none;
  fence_.poll(none);
  EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace hyades
