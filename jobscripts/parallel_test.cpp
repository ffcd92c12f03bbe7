// Training with several processes: what they compute does not depend on how many they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "temporary_directory.hpp"
#include "test_process.hpp"

using namespace hyades::jobscripts;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

using Words = std::vector<std::string>;

const Words kShort = {PROGRAM_DIR "/train_cnn_parallel", "--epochs=2", "--train-images=1000",
                      "--test-images=200"};

/// The system gives each number to one caller after the other, so it stays free for a while.
int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

/// "norm=... checksum=..."
std::string weights_in(const std::string& result) {
  const std::size_t begin = result.find("norm=");
  return begin == result.npos ? "no result"
                              : result.substr(begin, result.find(" seconds=") - begin);
}

class ParallelTraining : public testing::Test {
 protected:
  std::unique_ptr<TestProcess> start(const Words& command, const Words& environment = {}) {
    const std::string place = directory_.path(std::to_string(++started_));
    std::filesystem::create_directory(place);
    return std::make_unique<TestProcess>(place, command, environment);
  }
  /// As hrun would.
  std::unique_ptr<TestProcess> start_rank(const Words& command, int rank, int size, int port) {
    return start(command, {"RANK=" + std::to_string(rank), "WORLD_SIZE=" + std::to_string(size),
                           "MASTER_ADDR=localhost", "MASTER_PORT=" + std::to_string(port)});
  }
  std::string result_of(std::unique_ptr<TestProcess> process) {
    EXPECT_EQ(process->wait(), 0) << process->output();
    return process->result();
  }
  std::string result_by_mpi(int ranks) {
    Words words = {MPIRUN, "--oversubscribe", "-n", std::to_string(ranks)};
    words.insert(words.end(), kShort.begin(), kShort.end());
    return result_of(
        start(words, {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"}));
  }
  std::string result_by_tcp(int ranks) {
    const int port = free_port();
    std::vector<std::unique_ptr<TestProcess>> all;  // the last first: they wait for each other
    for (int rank = ranks - 1; rank >= 0; --rank) {
      all.push_back(start_rank(kShort, rank, ranks, port));
    }
    std::string result;
    for (auto& process : all) result = result_of(std::move(process));
    return result;
  }

  TemporaryDirectory directory_;
  int started_ = 0;
};

}  // namespace

TEST_F(ParallelTraining, AnyNumberOfRanksGivesTheSameWeights) {
  const std::string alone = result_of(start(kShort));
  EXPECT_THAT(alone, StartsWith("RESULT train_cnn_parallel accuracy="));
  EXPECT_THAT(alone, HasSubstr(" ranks=1 norm="));
  for (const int ranks : {2, 3}) {
    const std::string count = " ranks=" + std::to_string(ranks) + " ";
    const std::string by_mpi = result_by_mpi(ranks);
    EXPECT_THAT(by_mpi, HasSubstr(count));
    EXPECT_EQ(weights_in(by_mpi), weights_in(alone));
    const std::string by_tcp = result_by_tcp(ranks);
    EXPECT_THAT(by_tcp, HasSubstr(count));
    EXPECT_EQ(weights_in(by_tcp), weights_in(alone));
  }
  Words other_seed = kShort;
  other_seed.push_back("--seed=2");
  EXPECT_NE(weights_in(result_of(start(other_seed))), weights_in(alone));
}

TEST_F(ParallelTraining, FewerImagesThanRanksAreNoTrouble) {
  const int port = free_port();
  const Words few = {kShort.front(), "--epochs=1", "--train-images=1", "--test-images=1"};
  auto second = start_rank(few, 1, 2, port);
  auto first = start_rank(few, 0, 2, port);
  const std::string result = result_of(std::move(first));
  EXPECT_EQ(result_of(std::move(second)), "") << "only the first speaks";
  EXPECT_EQ(weights_in(result), weights_in(result_of(start(few))));
}

TEST_F(ParallelTraining, ReachesNinetyFivePercent) {
  result_of(start({kShort.front(), "--require-accuracy=0.95"}));
}

TEST_F(ParallelTraining, WhoLosesARankSaysSo) {
  const int port = free_port();
  const Words forever = {kShort.front(), "--epochs=10000", "--train-images=100"};
  auto first = start_rank(forever, 0, 2, port);
  auto second = start_rank(forever, 1, 2, port);
  ASSERT_TRUE(first->wait_for_output("epoch 1/")) << first->output();
  second->send(SIGKILL);
  EXPECT_EQ(second->wait(), -SIGKILL);
  EXPECT_EQ(first->wait(), 1);
  EXPECT_THAT(first->output(), HasSubstr("lost rank 1: "));
}

TEST_F(ParallelTraining, APlaceThatMakesNoSenseIsRefused) {
  const auto error = [&](const Words& environment) {
    auto process = start(kShort, environment);
    EXPECT_EQ(process->wait(), 1);
    return process->output();
  };
  EXPECT_THAT(error({"WORLD_SIZE=2"}), HasSubstr("RANK is not: start it with hrun"));
  EXPECT_THAT(error({"WORLD_SIZE=2", "RANK=2"}), HasSubstr("RANK=2 must be a number from 0 to 1"));
  EXPECT_THAT(error({"WORLD_SIZE=13", "RANK=0"}), HasSubstr("13 ranks are too many"));
}
