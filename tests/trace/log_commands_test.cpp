// hsim generate and hsim import as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cluster.hpp"
#include "command.hpp"
#include "trace/swf_reader.hpp"
#include "workload_contract.hpp"

namespace hyades::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LogCommands : public ::testing::Test {
 protected:
  LogCommands() { std::filesystem::create_directory(directory_); }
  ~LogCommands() override { std::filesystem::remove_all(directory_); }

  CommandResult hsim(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), program("hsim"));
    return run_command(words, {.directory = directory_, .input = input});
  }

  const std::string directory_ =
      ::testing::TempDir() + "log_commands_test." + std::to_string(::getpid());
};

TEST_F(LogCommands, GenerateWritesALogAndSaysWhatItIs) {
  const CommandResult result = hsim({"generate", "--jobs", "3000", "--procs=100", "--load=0.8"});
  ASSERT_TRUE(result.good()) << result.text();
  EXPECT_THAT(result.err, HasSubstr("3000 jobs in "));
  EXPECT_THAT(result.err, HasSubstr("on 100 processors, offered load 0.8"));
  const SwfLog log = parse_swf("x.swf", result.out);
  EXPECT_EQ(broken_promise(log.workload), "");
  EXPECT_EQ(log.workload.jobs.size(), 3000u);
  EXPECT_THAT(log.clean_ups.lines(), IsEmpty());
  EXPECT_THAT(result.out, HasSubstr("made by hsim generate --jobs=3000 --procs=100 --load=0.8"));
}

TEST_F(LogCommands, GenerateTakesAllOptionsAndPacks) {
  const std::vector<std::string> words{
      "generate", "--jobs=500",       "--users=9", "--bursts=0.3", "--memory=2G",
      "--seed=5", "--over-estimates", "--json",    "-o",           "x.swf.gz"};
  const CommandResult result = hsim(words);
  ASSERT_TRUE(result.good()) << result.text();
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.json()["jobs"], 500);
  EXPECT_EQ(result.json()["clean_ups"], Json::object());
  const SwfLog log = read_swf(directory_ + "/x.swf.gz");
  EXPECT_EQ(log.workload.jobs.size(), 500u);
  int asked = 0;
  for (const TraceJob& job : log.workload.jobs) {
    EXPECT_GE(job.user, 1);
    EXPECT_LE(job.memory_per_proc_kib, 2 << 20);
    EXPECT_GT(job.memory_per_proc_kib, 0);
    asked += job.request_s > job.run_s;
  }
  EXPECT_GT(asked, 250);
}

TEST_F(LogCommands, GenerateRefusesWhatCannotBe) {
  const std::vector<std::pair<std::string, std::string>> wrong{{"--jobs=0", "1 to 10000000 jobs"},
                                                               {"--jobs=1e9", "--jobs=1e9"},
                                                               {"--procs=-1", "processors"},
                                                               {"--load=-1", "load"},
                                                               {"--load=nan", "load"},
                                                               {"--bursts=1", "bursts"},
                                                               {"--users=x", "--users=x"},
                                                               {"--memory=lots", "--memory=lots"},
                                                               {"--json", "--output"},
                                                               {"--output=", "--output"},
                                                               {"word", "word"}};
  for (const auto& [word, why] : wrong) {
    const CommandResult result = hsim({"generate", word});
    EXPECT_EQ(result.exit_code, 2) << word;
    EXPECT_EQ(result.out, "") << word;
    EXPECT_THAT(result.err, HasSubstr(why));
  }
  EXPECT_EQ(hsim({"generate", "-o", "/no/such/place"}).exit_code, 1);
}

TEST_F(LogCommands, ImportCountsOnStandardErrorWhatItLeavesOut) {
  const std::string history =
      "JobID|Submit|Start|Elapsed|ReqCPUS|State\n"
      "1|100|100|00:10:00|4|COMPLETED\n"
      "1.batch|100|100|00:10:00|4|COMPLETED\n"
      "2|soon|100|00:10:00|4|COMPLETED\n";
  const CommandResult result = hsim({"import", "-"}, history);
  ASSERT_TRUE(result.good()) << result.text();
  EXPECT_THAT(result.err, HasSubstr("left out: a step of a job, not a job (1 time)"));
  EXPECT_THAT(result.err, HasSubstr("standard input:4: Submit is \"soon\", not a time"));
  EXPECT_THAT(result.err, HasSubstr("--procs"));
  const SwfLog log = parse_swf("x.swf", result.out);
  TraceJob first{1, 0, 600, 600, 4};
  first.wait_s = 0;
  EXPECT_EQ(log.workload.jobs, std::vector{first});
  EXPECT_EQ(log.workload.procs, 4);

  const CommandResult known = hsim({"import", "-", "--procs=64", "--json", "-o", "x.swf"}, history);
  EXPECT_EQ(known.json()["procs"], 64);
  EXPECT_EQ(known.json()["clean_ups"]["not_a_job"], 1);
  EXPECT_EQ(read_swf(directory_ + "/x.swf").workload.procs, 64);
}

TEST_F(LogCommands, ImportRefusesWhatIsNoHistory) {
  EXPECT_EQ(hsim({"import"}).exit_code, 2);
  EXPECT_EQ(hsim({"import", "-", "--procs=0"}).exit_code, 2);
  EXPECT_EQ(hsim({"import", "none.csv"}).exit_code, 1);
  const CommandResult result = hsim({"import", "-"}, "a|b\n1|2\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("names no column JobID"));
}

}  // namespace
}  // namespace hyades::test
