#include "wire/failpoint_env.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/failpoint.hpp"

namespace hyades {
namespace {

// Runs in the child of a death test.
void pass_three_times(const std::string& role, const char* list, const std::string& log) {
  setenv("HYADES_FAILPOINT", list, 1);
  setenv("HYADES_FAILPOINT_LOG", log.c_str(), 1);
  install_failpoints_from_env(role);
  for (int i = 0; i < 3; ++i) {
    HYADES_FAILPOINT("here");
    HYADES_FAILPOINT("there");
  }
  std::_Exit(0);
}

class FailpointEnv : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "failpoint.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    log_ = directory_ + "/log";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // The log without process ids.
  std::string log() const {
    std::ifstream file(log_);
    std::string all;
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name, pid, action;
      words >> name >> pid >> action;
      all += name + (action.empty() ? "" : " " + action) + "\n";
    }
    return all;
  }

  std::string directory_;
  std::string log_;
};

TEST_F(FailpointEnv, StrikesWhereAndWhenItWasToldTo) {
  EXPECT_EXIT(pass_three_times("worker", "there:kill:2", log_), testing::KilledBySignal(SIGKILL),
              "");
  EXPECT_EQ(log(), "here\nthere\nthere kill\n");
}

TEST_F(FailpointEnv, StrikesOnlyInItsRole) {
  EXPECT_EXIT(pass_three_times("worker", "master/here:kill,worker/there:count", log_),
              testing::ExitedWithCode(0), "");
  EXPECT_EQ(log(), "here\nthere\n");
  EXPECT_EXIT(pass_three_times("master", "master/here:kill", log_),
              testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointEnv, StrikesOnceInAllWhenToldTo) {
  setenv("HYADES_FAILPOINT_ONCE", directory_.c_str(), 1);
  EXPECT_EXIT(pass_three_times("worker", "worker/here:kill:2", log_),
              testing::KilledBySignal(SIGKILL), "");
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/worker.here"));
  EXPECT_EXIT(pass_three_times("worker", "worker/here:kill:2", log_), testing::ExitedWithCode(0),
              "");
  unsetenv("HYADES_FAILPOINT_ONCE");
}

TEST_F(FailpointEnv, RefusesWhatItDoesNotUnderstand) {
  for (const char* list : {"here", "here:explode", ":kill", "here:kill:0", "here:kill:x"}) {
    EXPECT_EXIT(pass_three_times("worker", list, log_), testing::ExitedWithCode(2),
                "HYADES_FAILPOINT: '.*' is not");
  }
}

TEST_F(FailpointEnv, DoesNothingUnlessAsked) {
  unsetenv("HYADES_FAILPOINT");
  unsetenv("HYADES_FAILPOINT_LOG");
  install_failpoints_from_env("worker");
  EXPECT_EQ(failpoint_handler, nullptr);
}

}  // namespace
}  // namespace hyades
