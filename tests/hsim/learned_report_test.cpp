// The page about learned policies: a model counts only on logs that it does not know, and rules
// that are known in hindsight are told from those that an admin could have taken.
#include "hsim/learned_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hyades {
namespace {

using testing::HasSubstr;
using testing::Not;

class LearnedPage : public testing::Test {
 protected:
  LearnedPage() {
    page_.plan.logs = {{"ONE-2001-1", 64, 100, {{0, 10}, {50, 10}}},
                       {"TWO-2002-1", 64, 100, {{0, 10}, {50, 10}}}};
    page_.plan.others = baseline_rules();
    page_.plan.others.push_back(learned_rule("/m", true));
    page_.plan.learned_from["/m"] = {"ONE-2001-1"};
    page_.bootstrap.resamples = 50;
    models_ = {{"/m", "m", {{"logs", "ONE-2001-1"}, {"seed", "7"}}}};
    for (const StudiedLog& log : page_.plan.logs) {
      for (const Rule& rule : page_.plan.rules()) {
        if (page_.plan.tries(log, rule)) set(log, rule, 10);
      }
    }
  }
  // Slowdowns of both windows.
  void set(const StudiedLog& log, const Rule& rule, double slowdown) {
    for (const Window& window : log.windows) {
      Metrics metrics;
      metrics.avg_bsld = slowdown;
      metrics.max_wait = 3600;
      metrics.utilization = 0.5;
      results_.add(log.name, rule, window, metrics);
    }
  }
  std::string text() const { return learned_markdown(page_, results_, models_); }

  StudyPage page_;
  StudyResults results_;
  std::vector<StudiedModel> models_;
};

TEST_F(LearnedPage, AModelIsTriedOnLogsThatItDoesNotKnow) {
  EXPECT_FALSE(page_.plan.tries(page_.plan.logs[0], learned_rule("/m", true)));
  EXPECT_TRUE(page_.plan.tries(page_.plan.logs[1], learned_rule("/m", true)));
  EXPECT_TRUE(page_.plan.tries(page_.plan.logs[0], baseline_rules().front()));
  const std::string page = text();
  EXPECT_THAT(page, HasSubstr("| TWO |"));
  EXPECT_THAT(page, Not(HasSubstr("| ONE |")));
  EXPECT_THAT(page, HasSubstr("| m | ONE-2001-1 | 7 |"));
}

// F2 is best on the second log, where the model is tried, and SJF on the first: that is the one
// that an admin of the second could have heard of.
TEST_F(LearnedPage, TheBestRuleIsChosenOnTheOtherLogs) {
  const auto rule_of = [&](const char* policy) {
    return Rule{policy, "easy", true, false, "request", 0, ""};
  };
  set(page_.plan.logs[0], rule_of("sjf"), 5);
  set(page_.plan.logs[1], rule_of("f2"), 4);
  set(page_.plan.logs[1], learned_rule("/m", true), 5);
  const std::string page = text();
  EXPECT_THAT(page, HasSubstr("| learned | 0.500 [0.500, 0.500] | 0.500 [0.500, 0.500] |"));
  EXPECT_THAT(page, HasSubstr("| TWO | 10.0 | 4.0 (f2) | 4.0 | 10.0 | 5.0 | 1.25 |"));
}

}  // namespace
}  // namespace hyades
