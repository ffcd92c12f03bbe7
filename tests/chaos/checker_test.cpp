// The checker must notice each broken promise: it is shown forged evidence.
#include "checker.hpp"

#include <gtest/gtest.h>

#include <algorithm>

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

// ---- jobs on several nodes ---------------------------------------------------------------------

// Job 3 in addition, over vn3 and vn4 with a task on each: the script from 100 to 200 on vn3, the
// tasks from 110 to 190.
class WideCheckerTest : public CheckerTest {
 protected:
  void SetUp() override {
    CheckerTest::SetUp();
    add_attempt(1, 100);
    const std::string label = "job-3";
    const int code = exit_code_of(label);
    evidence_.submits.push_back({3, label, "token-" + label, 10, true, 2, 2});
    evidence_.results.push_back({3, code == 0 ? "COMPLETED" : "FAILED", code, 0});
  }

  static JournalLine part(JournalLine::What what, int attempt, int task, std::int64_t at_ns) {
    JournalLine result = line(what, 3, attempt, at_ns);
    result.task = task;
    result.node = task == 1 ? "vn4" : "vn3";
    result.pid += 100 * (task + 1);
    return result;
  }

  void add(JournalLine::What what, int attempt, int task, std::int64_t at_ns) {
    evidence_.journal.push_back(part(what, attempt, task, at_ns));
  }

  void add_attempt(int attempt, std::int64_t at_ns) {
    for (const int task : {-1, 0, 1}) {
      const int late = task < 0 ? 0 : 10;
      add(What::Start, attempt, task, at_ns + late);
      add(What::Alive, attempt, task, at_ns + 50);
      add(What::End, attempt, task, at_ns + 100 - late);
    }
  }

  // The line, to be changed.
  JournalLine& the(JournalLine::What what, int attempt, int task) {
    const auto found = std::find_if(
        evidence_.journal.begin(), evidence_.journal.end(), [&](const JournalLine& line) {
          return line.job == 3 && line.what == what && line.attempt == attempt && line.task == task;
        });
    return *found;
  }
  void erase(JournalLine::What what, int attempt, int task) {
    evidence_.journal.erase(evidence_.journal.begin() +
                            (&the(what, attempt, task) - evidence_.journal.data()));
  }

  using What = JournalLine::What;
};

TEST_F(WideCheckerTest, FindsNothingInAGoodRun) { expect_clean(); }

TEST_F(WideCheckerTest, TheSameProcessNumbersOnTwoNodesAreGood) {
  for (const What what : {What::Start, What::Alive, What::End}) {
    the(what, 1, 1).pid = the(what, 1, 0).pid;
  }
  expect_clean();
}

TEST_F(WideCheckerTest, P3ATaskThatOutlivesItsAttempt) {
  evidence_.deaths.push_back({3});
  add_attempt(2, 300);
  expect_clean();
  // It was killed, so that there is no end of it; on the other node, and after the script.
  erase(What::End, 1, 1);
  the(What::Alive, 1, 1).at_ns = 305;
  expect_finding("P3");
}

TEST_F(WideCheckerTest, P3ATaskThatOutlivesTheAttemptBeforeTheLast) {
  evidence_.deaths.assign(2, {3});
  add_attempt(2, 300);
  add_attempt(3, 500);
  expect_clean();
  erase(What::End, 1, 1);
  the(What::Alive, 1, 1).at_ns = 505;
  expect_finding("P3");
}

TEST_F(WideCheckerTest, P3ATaskThatMetAnotherAttempt) {
  add(What::JobHeld, 1, 1, 111);
  expect_finding("P3");
}

TEST_F(WideCheckerTest, P3ATaskThatStartedTwice) {
  for (const What what : {What::Start, What::Alive, What::End}) {
    JournalLine again = the(what, 1, 1);
    again.pid += 7;
    evidence_.journal.push_back(again);
  }
  expect_finding("P3");
}

TEST_F(WideCheckerTest, P3TasksOfAnAttemptWhoseScriptDidNotStart) {
  evidence_.deaths.push_back({3});
  add_attempt(2, 300);
  for (const What what : {What::Start, What::Alive, What::End}) erase(what, 1, -1);
  expect_finding("P3");
}

TEST_F(WideCheckerTest, P3ASecondStartAfterTheDeathOfItsStep) {
  evidence_.deaths.push_back({3, true});
  add_attempt(2, 300);
  expect_finding("P3");
}

TEST_F(WideCheckerTest, P4ATaskThatDidNotCome) {
  for (const What what : {What::Start, What::Alive, What::End}) erase(what, 1, 1);
  expect_finding("P4");
}

TEST_F(WideCheckerTest, P4ATaskThatDidNotComeToItsEnd) {
  erase(What::End, 1, 1);
  expect_finding("P4");
}

TEST_F(WideCheckerTest, P4TasksThatRanOnOneNode) {
  for (const What what : {What::Start, What::Alive, What::End}) the(what, 1, 1).node = "vn3";
  expect_finding("P4");
}

TEST_F(WideCheckerTest, P4AStepThatFailedThoughNobodyTouchedIt) {
  the(What::End, 1, -1).exit_code = 211;
  evidence_.results[2] = {3, "FAILED", 211, 0};
  expect_finding("P4");
  evidence_.deaths.push_back({3, true});
  expect_clean();
}

TEST_F(WideCheckerTest, P4AFailureThatIsNotTheScripts) {
  evidence_.deaths.push_back({3, true});
  the(What::End, 1, -1).exit_code = 211;
  evidence_.results[2] = {3, "FAILED", 1, 0};
  expect_finding("P4");
}

TEST_F(WideCheckerTest, P4ANodeFailureWhenOnlyTheStepWasHit) {
  evidence_.deaths.push_back({3, true});
  evidence_.results[2] = {3, "NODE_FAIL", 0, 0};
  expect_finding("P4");
}

TEST_F(WideCheckerTest, P4ASignOfLifeWithoutAStart) {
  add(What::Alive, 1, 2, 150);
  expect_finding("P4");
}

// Job 2 has a core of the other node while the script of job 3 runs, though no task does any more.
TEST_F(WideCheckerTest, P8ACoreOfAFurtherNodeGivenAway) {
  start(2).node = end(2).node = "vn4";
  start(2).at_ns = 192;
  end(2).at_ns = 199;
  expect_finding("P8");
  start(2).at_ns = 201;
  end(2).at_ns = 210;
  expect_clean();
}

// The script was killed; what a task still does on its node counts.
TEST_F(WideCheckerTest, P8ACoreGivenAwayUnderALingeringTask) {
  evidence_.deaths.push_back({3});
  add_attempt(2, 400);
  for (const int task : {-1, 1}) erase(What::End, 1, task);
  the(What::Alive, 1, 1).at_ns = 350;
  start(2).node = end(2).node = "vn4";
  start(2).at_ns = 340;
  end(2).at_ns = 345;
  expect_finding("P8");
}

TEST_F(WideCheckerTest, P9AnAttemptAfterTheCancel) {
  evidence_.cancels.push_back({3, 150, false});
  evidence_.deaths.push_back({3});
  add_attempt(2, 300);
  expect_finding("P9");
}

TEST(Journal, LinesSurviveTheRoundTripAndTornOnesAreNoticed) {
  JournalLine written = line(JournalLine::What::End, 7, 2, 123456789);
  written.task = 3;
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
