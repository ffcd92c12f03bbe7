// The programs and the job scripts, run as a batch system runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "temporary_directory.hpp"
#include "test_process.hpp"

using namespace hyades::jobscripts;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

std::string program(const std::string& name) { return std::string(PROGRAM_DIR) + "/" + name; }

class JobTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;

  TestProcess run(const Words& command) { return {directory_.path(""), command}; }

  TestProcess run_script(const std::string& name, const Words& arguments = {},
                         Words environment = {"HYADES_BIN=" PROGRAM_DIR}) {
    Words command = {"/bin/bash", std::string(JOBSCRIPTS_DIR) + "/" + name};
    command.insert(command.end(), arguments.begin(), arguments.end());
    environment.insert(environment.end(), {"HYADES_JOB_ID=42", "HYADES_RESTART_COUNT=0",
                                           "HYADES_SUBMIT_DIR=" + directory_.path("")});
    return {directory_.path(""), command, environment};
  }

  TemporaryDirectory directory_;
};

using CheckpointJob = JobTest;
using Kernel = JobTest;
using Script = JobTest;
using Training = JobTest;

/// 400 steps of at least 5 ms: long enough to be interrupted, short enough for a test.
const std::vector<std::string> kSlowSteps = {"--steps", "400", "--side", "64", "--delay-ms", "5"};

const char* const kUninterrupted = "checksum=50284f86aa924819 steps=400 resumed=";

std::vector<std::string> slow_job() {
  std::vector<std::string> command = {program("checkpoint_job")};
  command.insert(command.end(), kSlowSteps.begin(), kSlowSteps.end());
  return command;
}

}  // namespace

TEST_F(CheckpointJob, RunsThrough) {
  TestProcess job = run({program("checkpoint_job"), "--steps", "400", "--side", "64"});
  EXPECT_EQ(job.wait(), 0) << job.output();
  EXPECT_THAT(job.result(), HasSubstr(std::string(kUninterrupted) + "0"));
}

TEST_F(CheckpointJob, EndsTheSameAfterTwoTerminations) {
  for (const char* line : {"start at step 0", "resumed at step"}) {
    TestProcess job = run(slow_job());
    ASSERT_TRUE(job.wait_for_output(line)) << job.output();
    ASSERT_TRUE(job.wait_for_output("\nstep ")) << job.output();
    job.send(SIGTERM);
    EXPECT_EQ(job.wait(), 85) << job.output();
    EXPECT_EQ(job.result(), "");
  }
  TestProcess job = run(slow_job());
  EXPECT_EQ(job.wait(), 0) << job.output();
  EXPECT_THAT(job.result(), HasSubstr(std::string(kUninterrupted) + "2"));
  EXPECT_EQ(directory_.file_names(), std::vector<std::string>{"output"});  // no checkpoint left
}

TEST_F(CheckpointJob, ResumesFromTheWarningAfterAKill) {
  {
    TestProcess job = run(slow_job());
    ASSERT_TRUE(job.wait_for_output("\nstep ")) << job.output();
    job.send(SIGUSR2);
    ASSERT_TRUE(job.wait_for_output("(SIGUSR2)")) << job.output();
    job.send(SIGKILL);
    EXPECT_EQ(job.wait(), -SIGKILL);
  }
  TestProcess job = run(slow_job());
  EXPECT_EQ(job.wait(), 0) << job.output();
  EXPECT_THAT(job.result(), HasSubstr(std::string(kUninterrupted) + "1"));
}

TEST_F(CheckpointJob, GoesOnAfterTheWarning) {
  TestProcess job = run(slow_job());
  ASSERT_TRUE(job.wait_for_output("\nstep ")) << job.output();
  job.send(SIGUSR2);
  EXPECT_EQ(job.wait(), 0) << job.output();
  EXPECT_THAT(job.output(), HasSubstr("(SIGUSR2)"));
  EXPECT_THAT(job.result(), HasSubstr(std::string(kUninterrupted) + "0"));
}

TEST_F(CheckpointJob, NamesADamagedCheckpointAndTheFix) {
  std::ofstream(directory_.path("checkpoint_job.state")) << "HYCHECK1 and then nothing";
  TestProcess job = run(slow_job());
  EXPECT_EQ(job.wait(), 1);
  EXPECT_THAT(job.output(), HasSubstr("checkpoint_job.state: checkpoint is truncated"));
  EXPECT_THAT(job.output(), HasSubstr("rm checkpoint_job.state"));
}

TEST_F(CheckpointJob, RefusesBadOptions) {
  for (const std::string option : {"--steps=-1", "--steps=x", "--nosuch", "stray", "--side=2"}) {
    TestProcess job = run({program("checkpoint_job"), option});
    EXPECT_EQ(job.wait(), 2) << option;
    EXPECT_THAT(job.output(), HasSubstr("See checkpoint_job --help")) << option;
  }
}

TEST_F(Kernel, ComputesTheSameEverywhere) {
  TestProcess job = run({program("compute_kernel"), "--size", "64", "--repeats", "3"});
  EXPECT_EQ(job.wait(), 0) << job.output();
  EXPECT_THAT(job.result(), StartsWith("RESULT compute_kernel gflops="));
  EXPECT_THAT(job.result(), HasSubstr("checksum=3a1a12dbb5650ad6 repeats=3 "));
}

TEST_F(Kernel, StreamsTheSameEverywhere) {
  TestProcess job = run({program("memory_kernel"), "--mebibytes", "1", "--repeats", "3"});
  EXPECT_EQ(job.wait(), 0) << job.output();
  EXPECT_THAT(job.result(), StartsWith("RESULT memory_kernel gbs="));
  EXPECT_THAT(job.result(), HasSubstr("checksum=e982a789027a6fd7 repeats=3 "));
}

TEST_F(Script, ForwardsTheSignalsOfTheBatchSystem) {
  {
    TestProcess job = run_script("checkpoint.sh", kSlowSteps);
    ASSERT_TRUE(job.wait_for_output("\nstep ")) << job.output();
    job.send(SIGUSR2);
    ASSERT_TRUE(job.wait_for_output("(SIGUSR2)")) << job.output();
    job.send(SIGTERM);
    EXPECT_EQ(job.wait(), 85) << job.output();
  }
  EXPECT_TRUE(std::filesystem::exists(directory_.path("checkpoint-42.state")));
  TestProcess job = run_script("checkpoint.sh", kSlowSteps);
  EXPECT_EQ(job.wait(), 0) << job.output();
  EXPECT_THAT(job.result(), HasSubstr(std::string(kUninterrupted) + "1"));
}

TEST_F(Script, RunsTheKernels) {
  for (const char* name : {"compute", "memory"}) {
    TestProcess job = run_script(name + std::string(".sh"), {"--repeats", "1"});
    EXPECT_EQ(job.wait(), 0) << job.output();
    EXPECT_THAT(job.result(), StartsWith(std::string("RESULT ") + name + "_kernel "));
  }
}

TEST_F(Script, EachHasDirectivesAndSaysWhatIsNotBuilt) {
  int scripts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(JOBSCRIPTS_DIR)) {
    if (entry.path().extension() != ".sh") continue;
    ++scripts;
    const std::string name = entry.path().filename();
    std::ifstream file(entry.path());
    std::string first, second;
    std::getline(file, first);
    std::getline(file, second);
    EXPECT_EQ(first, "#!/bin/bash") << name;
    EXPECT_THAT(second, ContainsRegex("^#(HSUB|SBATCH) --job-name=[a-z]+$")) << name;
    // Without HYADES_BIN it looks below the submit directory, where nothing was built.
    TestProcess job = run_script(name, {}, {});
    EXPECT_EQ(job.wait(), 127) << name;
    EXPECT_THAT(job.output(), StartsWith(name + ": " + directory_.path(""))) << name;
    EXPECT_THAT(job.output(), HasSubstr("HYADES_BIN")) << name;
  }
  EXPECT_EQ(scripts, 9);
}

TEST_F(Training, PipelineReachesNinetyFivePercent) {
  for (const char* name : {"prepare", "train", "evaluate"}) {
    TestProcess job = run_script(std::string("pipeline_") + name + ".sh");
    EXPECT_EQ(job.wait(), 0) << job.output();
    EXPECT_THAT(job.result(), ContainsRegex(name == std::string("prepare")
                                                ? "^RESULT prepare_digits train=8000 test=1000 "
                                                : "^RESULT [a-z_]+ accuracy=(0.9[5-9]|1.00)"));
  }
}

TEST_F(Training, MissedAccuracyFailsAndWritesNoModel) {
  TestProcess job = run({program("train_cnn"), "--epochs", "1", "--train-images", "64",
                         "--test-images", "100", "--require-accuracy", "0.95", "--model", "m"});
  EXPECT_EQ(job.wait(), 1);
  EXPECT_THAT(job.output(), HasSubstr("below the required 0.95"));
  EXPECT_FALSE(std::filesystem::exists(directory_.path("m")));
}

TEST_F(Training, ReportsItsProgress) {
  const int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address.sun_family;  // the kernel chooses a name
  ASSERT_EQ(bind(socket_fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  size = sizeof address;
  ASSERT_EQ(getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string name(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  TestProcess job = {
      directory_.path(""),
      {program("train_cnn"), "--epochs", "2", "--train-images", "64", "--test-images", "100"},
      {"HYADES_REPORT=@" + name}};
  EXPECT_EQ(job.wait(), 0) << job.output();
  for (const char* progress : {"progress=0.5\n", "progress=1\n"}) {
    char text[1024] = {};
    EXPECT_GT(recv(socket_fd, text, sizeof text - 1, MSG_DONTWAIT), 0);
    EXPECT_THAT(text, StartsWith(progress));
    EXPECT_THAT(text, ContainsRegex("loss=[0-9.]+\naccuracy=[0-9.e-]+\n$"));
  }
  close(socket_fd);
}

TEST_F(Training, NamesTheMissingOrDamagedFile) {
  TestProcess train = run({program("train_cnn"), "--data", "none.data"});
  EXPECT_EQ(train.wait(), 1);
  EXPECT_THAT(train.output(), HasSubstr("none.data: cannot read"));
  TestProcess prepare = run({program("prepare_digits"), "--train-images=1", "--test-images=1"});
  ASSERT_EQ(prepare.wait(), 0);
  std::ofstream(directory_.path("digits.safetensors")) << "not weights at all";
  TestProcess evaluate = run({program("evaluate_cnn")});
  EXPECT_EQ(evaluate.wait(), 1);
  EXPECT_THAT(evaluate.output(), ContainsRegex("digits.safetensors: .*train_cnn --model"));
}
