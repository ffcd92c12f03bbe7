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
  static Words under_mpirun(const char* ranks, const Words& words) {
    Words all{MPIRUN, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", ranks};
    all.insert(all.end(), words.begin(), words.end());
    return all;
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

TEST_F(Htrain, ForgettingToResumeLosesNothing) {
  ASSERT_TRUE(run(small("model", 2)).good());
  const std::string before = ModelFiles::bytes_of(files.path("model.checkpoint"));
  const CommandResult anew = run(small("model", 1, {"--seed", "2"}));
  ASSERT_TRUE(anew.good()) << anew.text();
  EXPECT_THAT(anew.err, HasSubstr("model.checkpoint.before now"));
  EXPECT_EQ(ModelFiles::bytes_of(files.path("model.checkpoint.before")), before);
  EXPECT_NE(ModelFiles::bytes_of(files.path("model.checkpoint")), before);
}

// Who plays decides nothing.
TEST_F(Htrain, RanksOfMpirunMakeTheSameModel) {
  ASSERT_TRUE(run(small("alone", 3)).good());
  for (const char* ranks : {"2", "3"}) {
    const CommandResult together = run(under_mpirun(ranks, small("together", 3)));
    ASSERT_TRUE(together.good()) << together.text();
    EXPECT_EQ(weights("together"), weights("alone")) << ranks;
    EXPECT_EQ(facts("together"), facts("alone")) << ranks;
  }
}

// mpirun passes on SIGUSR1; of others it makes an end of its ranks.
TEST_F(Htrain, RanksStopAndGoOn) {
  ASSERT_TRUE(run(small("whole", 12)).good());
  const Words words = under_mpirun("2", small("parts", 12));
  const CommandResult first = stopped(words, SIGUSR1);
  EXPECT_EQ(first.exit_code, 138) << first.text();
  EXPECT_THAT(first.err, HasSubstr("--resume goes on from"));
  const CommandResult last = run(under_mpirun("3", small("parts", 12, {"--resume"})));
  ASSERT_TRUE(last.good()) << last.text();
  EXPECT_EQ(weights("parts"), weights("whole"));
  EXPECT_EQ(facts("parts"), facts("whole"));
}

TEST_F(Htrain, FederatedRanksStopAndGoOn) {
  const Words federated{"--federated", "--average-every", "2", "--generated", "3"};
  const auto words = [&](const std::string& out, const Words& more) {
    Words all = federated;
    all.insert(all.end(), more.begin(), more.end());
    return under_mpirun("2", small(out, 9, all));
  };
  const CommandResult whole = run(words("whole", {}));
  ASSERT_TRUE(whole.good()) << whole.text();
  EXPECT_EQ(facts("whole")["federated"], "2 ranks");
  EXPECT_EQ(facts("whole")["logs"], "generated-0 generated-2 generated-1") << "dealt in turn";
  EXPECT_EQ(stopped(words("parts", {}), SIGUSR1).exit_code, 138);
  const CommandResult last = run(words("parts", {"--resume"}));
  ASSERT_TRUE(last.good()) << last.text();
  EXPECT_EQ(weights("parts"), weights("whole"));
  EXPECT_EQ(facts("parts"), facts("whole"));
  // A rank whose checkpoint is of another round has nothing to go on with.
  const std::string path = files.path("parts.checkpoint.rank-1");
  ASSERT_TRUE(run(under_mpirun("2", small("other", 1, federated))).good());
  std::filesystem::copy_file(files.path("other.checkpoint.rank-1"), path,
                             std::filesystem::copy_options::overwrite_existing);
  const CommandResult apart = run(words("parts", {"--resume"}));
  EXPECT_NE(apart.exit_code, 0);
  EXPECT_THAT(apart.err, HasSubstr("the checkpoint of rank 1 is of round 1, that of rank 0 of "
                                   "round 9"));
}

TEST_F(Htrain, FederatedRanksNeedLogsOfTheirOwn) {
  const CommandResult alone = run(small("model", 1, {"--federated"}));
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("start it with mpirun -n N"));
  const CommandResult few = run(under_mpirun("3", small("model", 1, {"--federated"})));
  EXPECT_EQ(few.exit_code, 2);
  EXPECT_THAT(few.err, HasSubstr("3 ranks and 2 logs: every rank needs one of its own"));
}

// What was done is not done again, and the search goes where it would have gone.
TEST_F(Htrain, ASearchGoesOnWhereItWas) {
  const std::string ledger = files.path("search.tsv"), report = files.path("search.md");
  const Words words{HYADES_HTRAIN, "search", "--out",        ledger, "--report",  report,
                    "--budget",    "4",      "--rounds",     "1",    "--windows", "2",
                    "--length",    "96",     "--episodes",   "2",    "--updates", "5",
                    "--generated", "2",      "--population", "2",    "--threads", "1"};
  const CommandResult first = run(words);
  ASSERT_TRUE(first.good()) << first.text();
  const std::string whole = ModelFiles::bytes_of(ledger);
  int trainings = 0;
  for (auto at = whole.find("\ntraining"); at != std::string::npos;
       at = whole.find("\ntraining", at + 1)) {
    ++trainings;
  }
  EXPECT_EQ(trainings, 4 + 4 - 2) << "those of both; the first two are shared\n" << whole;
  EXPECT_THAT(ModelFiles::bytes_of(report), HasSubstr("](search.svg)"));
  EXPECT_THAT(ModelFiles::bytes_of(files.path("search.svg")), HasSubstr("genetic, 4: "));
  const std::size_t last_two = whole.rfind("training", whole.rfind("training") - 1);
  files.write("search.tsv", whole.substr(0, last_two));
  const CommandResult second = run(words);
  ASSERT_TRUE(second.good()) << second.text();
  EXPECT_EQ(ModelFiles::bytes_of(ledger), whole);
  EXPECT_EQ(second.out, first.out);
  Words other = words;
  other.insert(other.end(), {"--seed", "2"});
  EXPECT_EQ(run(other).exit_code, 2);
}

TEST_F(Htrain, WrongOptionsAreNamed) {
  const CommandResult rate = run(small("model", 1, {"--learning-rate", "fast"}));
  EXPECT_EQ(rate.exit_code, 2);
  EXPECT_THAT(rate.err, HasSubstr("--learning-rate=fast: not a number from 1e-08 to 1"));
  EXPECT_EQ(run({HYADES_HTRAIN}).exit_code, 2);
}

}  // namespace
}  // namespace hyades::learned
