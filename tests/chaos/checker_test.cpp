// The checker must notice each broken promise: it is shown forged evidence.
#include "checker.hpp"

#include <gtest/gtest.h>

namespace hyades::test {
namespace {

JournalLine line(JournalLine::What what, std::uint64_t job, int attempt, std::int64_t at_ns) {
  JournalLine line;
  line.what = what;
  line.label = "job-" + std::to_string(job);
  line.host = "host";
  line.boot_id = "boot";
  line.at_ns = at_ns;
  line.job = job;
  line.attempt = attempt;
  line.launch = "spool:" + std::to_string(job) + "." + std::to_string(attempt) + ".9";
  line.pid = static_cast<int>(1000 + 10 * job) + attempt;
  line.node = "vn" + std::to_string(job);
  line.cores = "0-1";
  if (what == JournalLine::What::End) line.exit_code = exit_code_of(line.label);
  return line;
}

// Two jobs, accepted at 10, started at 20 and ended at 30.
class CheckerTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::uint64_t job : {1, 2}) {
      const std::string label = "job-" + std::to_string(job);
      const int code = exit_code_of(label);
      evidence_.submits.push_back({job, label, "token-" + label, 10, true});
      evidence_.journal.push_back(line(JournalLine::What::Start, job, 1, 20));
      evidence_.journal.push_back(line(JournalLine::What::End, job, 1, 30));
      evidence_.results.push_back({job, code == 0 ? "COMPLETED" : "FAILED", code, 0});
    }
  }
  JournalLine& start(int job) { return evidence_.journal[static_cast<std::size_t>(2 * job - 2)]; }
  JournalLine& end(int job) { return evidence_.journal[static_cast<std::size_t>(2 * job - 1)]; }
  void add_run(std::uint64_t job, int attempt, std::int64_t from, std::int64_t to) {
    evidence_.journal.push_back(line(JournalLine::What::Start, job, attempt, from));
    evidence_.journal.push_back(line(JournalLine::What::End, job, attempt, to));
  }

  // Exactly one finding, about this promise.
  void expect_finding(const std::string& promise) {
    const auto findings = check(evidence_);
    ASSERT_FALSE(findings.empty()) << "nothing was noticed";
    for (const std::string& finding : findings) {
      EXPECT_TRUE(finding.starts_with(promise + ": ")) << finding;
    }
  }
  void expect_clean() {
    const auto findings = check(evidence_);
    EXPECT_TRUE(findings.empty()) << findings.front();
  }

  Evidence evidence_;
};

TEST_F(CheckerTest, FindsNothingInAGoodRun) { expect_clean(); }

TEST_F(CheckerTest, P1AnAcceptedJobIsGone) {
  evidence_.results.pop_back();
  evidence_.journal.resize(2);
  expect_finding("P1");
}

TEST_F(CheckerTest, P1AnAcceptedJobRanButIsForgotten) {
  evidence_.results.pop_back();
  expect_finding("P1");
}

TEST_F(CheckerTest, P2OneTokenTwoJobs) {
  evidence_.submits[1].token = evidence_.submits[0].token;
  expect_finding("P2");
}

TEST_F(CheckerTest, P2OneTokenAcceptedTwiceIsGood) {
  evidence_.submits.push_back(evidence_.submits[0]);
  expect_clean();
}

TEST_F(CheckerTest, P3ASecondStartThatNothingCalledFor) {
  add_run(1, 2, 40, 50);
  expect_finding("P3");
}

TEST_F(CheckerTest, P3ASecondStartAfterTheShepherdsDeathIsGood) {
  evidence_.deaths.push_back({1});
  add_run(1, 2, 40, 50);
  expect_clean();
}

TEST_F(CheckerTest, P3ASecondStartAfterTheDeathOfSomeShepherdIsGoodOnce) {
  evidence_.deaths.push_back({0});
  add_run(1, 2, 40, 50);
  expect_clean();
  add_run(2, 2, 40, 50);
  expect_finding("P3");
}

TEST_F(CheckerTest, P3ASecondStartOfAJobThatMayNot) {
  evidence_.submits[0].may_requeue = false;
  evidence_.deaths.push_back({1});
  add_run(1, 2, 40, 50);
  expect_finding("P3");
}

TEST_F(CheckerTest, P3AnAttemptThatStartedTwice) {
  evidence_.deaths.push_back({1});
  add_run(1, 1, 40, 50);
  evidence_.journal[4].pid = evidence_.journal[5].pid = 7777;
  expect_finding("P3");
}

TEST_F(CheckerTest, P3OverlappingAttempts) {
  evidence_.deaths.push_back({1});
  add_run(1, 2, 25, 50);
  evidence_.journal[4].cores = evidence_.journal[5].cores = "2-3";
  expect_finding("P3");
}

TEST_F(CheckerTest, P3AnAttemptThatMetAnother) {
  evidence_.journal.push_back(line(JournalLine::What::JobHeld, 1, 1, 21));
  expect_finding("P3");
}

TEST_F(CheckerTest, P4AWrongExitCode) {
  evidence_.results[0].exit_code += 1;
  expect_finding("P4");
}

TEST_F(CheckerTest, P4ASignalThatNobodySent) {
  evidence_.results[0].exit_signal = 9;
  expect_finding("P4");
}

TEST_F(CheckerTest, P4AnEndThatNeverCame) {
  evidence_.journal.erase(evidence_.journal.begin() + 1);
  expect_finding("P4");
}

TEST_F(CheckerTest, P4AResultOfAJobThatNeverRan) {
  evidence_.journal.erase(evidence_.journal.begin(), evidence_.journal.begin() + 2);
  expect_finding("P4");
}

TEST_F(CheckerTest, P4CancelledByNobody) {
  evidence_.results[0].state = "CANCELLED";
  expect_finding("P4");
}

TEST_F(CheckerTest, P4ANodeFailureThatDidNotHappen) {
  evidence_.results[0].state = "NODE_FAIL";
  expect_finding("P4");
}

TEST_F(CheckerTest, P4AJobThatNeverEnds) {
  evidence_.results[0].state = "RUNNING";
  expect_finding("P4");
}

TEST_F(CheckerTest, P4ATornJournal) {
  evidence_.broken_lines.push_back("start job-1 ho");
  expect_finding("P4");
}

TEST_F(CheckerTest, P6ANumberUsedTwice) {
  evidence_.submits[1].job = 1;
  evidence_.results.pop_back();
  evidence_.journal.resize(2);
  expect_finding("P6");
}

TEST_F(CheckerTest, P6AJobThatNobodySubmitted) {
  evidence_.submits.pop_back();
  expect_finding("P6");
}

TEST_F(CheckerTest, P7SomethingIsLeft) {
  evidence_.left_behind.push_back("4711 probe");
  expect_finding("P7");
}

TEST_F(CheckerTest, P8ACoreThatWasLocked) {
  evidence_.journal.push_back(line(JournalLine::What::CoreHeld, 1, 1, 21));
  expect_finding("P8");
}

TEST_F(CheckerTest, P8ACoreWithTwoUsersAtATime) {
  for (JournalLine* line : {&start(2), &end(2)}) {
    line->node = "vn1";
    line->cores = "1";
  }
  expect_finding("P8");
  for (JournalLine* line : {&start(2), &end(2)}) line->cores = "2";
  expect_clean();
}

TEST_F(CheckerTest, P9AStartAfterTheCancel) {
  evidence_.cancels.push_back({1, 15, true});
  expect_finding("P9");
}

TEST_F(CheckerTest, P9ASecondStartAfterTheCancel) {
  evidence_.cancels.push_back({1, 25, false});
  evidence_.deaths.push_back({1});
  add_run(1, 2, 40, 50);
  expect_finding("P9");
}

TEST_F(CheckerTest, P9ACancelWhileItRanIsGood) {
  evidence_.cancels.push_back({1, 25, false});
  evidence_.results[0].state = "CANCELLED";
  expect_clean();
}

TEST(Journal, LinesSurviveTheRoundTripAndTornOnesAreNoticed) {
  const JournalLine written = line(JournalLine::What::End, 7, 2, 123456789);
  const std::string text = to_text(written);
  JournalLine read;
  ASSERT_TRUE(parse(text, read));
  EXPECT_EQ(read, written);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse(text.substr(0, size), read)) << size;
  }
}

TEST(Journal, CoreLists) {
  EXPECT_EQ(cores_of("0-2,5"), (std::vector<int>{0, 1, 2, 5}));
  EXPECT_EQ(cores_of("7"), std::vector<int>{7});
  EXPECT_EQ(cores_of("-"), std::vector<int>{});
}

}  // namespace
}  // namespace hyades::test
