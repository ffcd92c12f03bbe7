// htrain as a user meets it: the real program, and the real mpirun.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "command.hpp"
#include "model_files.hpp"
#include "wait_until.hpp"

namespace hyades::learned {
namespace {

using test::CommandResult;
using testing::HasSubstr;
using testing::Not;

using Words = std::vector<std::string>;

class Htrain : public testing::Test {
 protected:
  // A training of generated workloads that takes a few seconds.
  Words small(const std::string& out, int rounds, const Words& more = {}) const {
    Words words{HYADES_HTRAIN,
                "--out",
                files.path(out),
                "--rounds",
                std::to_string(rounds),
                "--generated",
                "2",
                "--windows",
                "2",
                "--length",
                "96",
                "--episodes",
                "4",
                "--updates",
                "5",
                "--threads",
                "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static CommandResult run(const Words& words) {
    return test::run_command(words, {.timeout_ms = 240'000});
  }
  std::vector<NamedTensor> weights(const std::string& out) const {
    return load_policy(files.path(out)).network.weights();
  }
  // All but how long it took.
  std::map<std::string, std::string> facts(const std::string& out) const {
    auto facts = load_policy(files.path(out)).facts;
    facts.erase("seconds");
    facts.erase("checksum");
    return facts;
  }
  // Terminates it in its first round, with the signal. Gives what became of it.
  CommandResult stopped(const Words& words, int signal) const {
    test::RunningCommand training(words, {.timeout_ms = 240'000});
    EXPECT_TRUE(test::wait_until(
        [&] { return training.err().find("experiences") != std::string::npos; }, 60'000));
    kill(training.pid(), signal);
    return training.finish(120'000);
  }

  ModelFiles files;
};

TEST_F(Htrain, GoesOnToTheModelOfAnUninterruptedRun) {
  ASSERT_TRUE(run(small("whole", 12)).good());
  const CommandResult first = stopped(small("parts", 12), SIGTERM);
  EXPECT_EQ(first.exit_code, 143) << first.text();
  EXPECT_THAT(first.err, testing::ContainsRegex(
                             "stopped after round [0-9]+; the same command with --resume goes on"));
  EXPECT_NE(access(files.path("parts").c_str(), F_OK), 0) << "there is no model yet";
  // Once more, in the middle of what is left.
  EXPECT_EQ(stopped(small("parts", 12, {"--resume"}), SIGINT).exit_code, 130);
  const std::string curves = files.path("curves.svg");
  const CommandResult last = run(small("parts", 12, {"--resume", "--curves", curves}));
  ASSERT_TRUE(last.good()) << last.text();
  EXPECT_THAT(last.err, HasSubstr("going on after round "));
  EXPECT_EQ(weights("parts"), weights("whole"));
  EXPECT_EQ(facts("parts"), facts("whole"));
  EXPECT_THAT(ModelFiles::bytes_of(curves), HasSubstr("margin 0.5, 10: "));
}

TEST_F(Htrain, RefusesACheckpointOfAnotherTraining) {
  ASSERT_TRUE(run(small("model", 1)).good());
  const CommandResult other = run(small("model", 1, {"--resume", "--seed", "2", "--batch", "64"}));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("--seed is 1 there and 2 here"));
  EXPECT_THAT(other.err, HasSubstr("--batch is 96 there and 64 here"));
  EXPECT_THAT(other.err, HasSubstr("log generated-0 has other jobs there"));
  EXPECT_THAT(other.err, Not(HasSubstr("--length")));
  const std::string path = files.path("model.checkpoint");
  const std::string good = ModelFiles::bytes_of(path);
  files.write("model.checkpoint", good.substr(0, good.size() / 2));
  const CommandResult damaged = run(small("model", 1, {"--resume"}));
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.err, HasSubstr("truncated"));
  EXPECT_EQ(run(small("none", 1, {"--resume"})).exit_code, 1);
}

TEST_F(Htrain, WrongOptionsAreNamed) {
  const CommandResult rate = run(small("model", 1, {"--learning-rate", "fast"}));
  EXPECT_EQ(rate.exit_code, 2);
  EXPECT_THAT(rate.err, HasSubstr("--learning-rate=fast: not a number from 1e-08 to 1"));
  EXPECT_EQ(run({HYADES_HTRAIN}).exit_code, 2);
}

}  // namespace
}  // namespace hyades::learned
