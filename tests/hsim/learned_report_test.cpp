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
  void set(const StudiedLog& log, const Rule& rule, double slowdown, int hours = 1) {
    for (const Window& window : log.windows) {
      Metrics metrics;
      metrics.avg_bsld = slowdown;
      metrics.avg_wait = 60;
      metrics.max_wait = 3600 * hours;
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
  const std::size_t ahead = page.find("## Looking ahead");  // which is tried everywhere
  EXPECT_THAT(page.substr(0, ahead), HasSubstr("| TWO |"));
  EXPECT_THAT(page.substr(0, ahead), Not(HasSubstr("| ONE |")));
  EXPECT_THAT(page.substr(ahead), HasSubstr("| ONE |"));
  EXPECT_THAT(page, HasSubstr("| m |  | ONE-2001-1 | 7 |"));
}

// F2 is best on the second log, where the model is tried, and SJF on the first: that is the one
// that an admin of the second could have heard of.
TEST_F(LearnedPage, TheBestRuleIsChosenOnTheOtherLogs) {
  set(page_.plan.logs[0], fixed_rule("sjf", true), 5);
  set(page_.plan.logs[1], fixed_rule("f2", true), 4);
  set(page_.plan.logs[1], learned_rule("/m", true), 5);
  const std::string page = text();
  EXPECT_THAT(page, HasSubstr("| learned | 0.500 [0.500, 0.500] | 0.500 [0.500, 0.500] |"));
  EXPECT_THAT(page, HasSubstr("| TWO | 10.0 | 4.0 (f2) | 4.0 | 10.0 | 5.0 | 1.25 |"));
}

// The rule of the other log gives 10 on the second, the oracle 4, and the model 5: five sixths of
// the way. Its longest wait is three hours, FCFS's one.
TEST_F(LearnedPage, EachBarIsMetOrMissed) {
  set(page_.plan.logs[0], fixed_rule("sjf", true), 5);
  set(page_.plan.logs[1], fixed_rule("f2", true), 4);
  set(page_.plan.logs[1], learned_rule("/m", true), 5, 3);
  const std::string page = text();
  const auto line = [&](const std::string& begin) {
    const std::size_t at = page.find("| " + begin);
    return at == std::string::npos ? "no such line: " + begin
                                   : page.substr(at, page.find('\n', at) - at);
  };
  EXPECT_THAT(line("slowdown behind the guard, beside the best fixed rule of other logs"),
              HasSubstr("0.90 | 0.500 [0.500, 0.500] |"));
  EXPECT_THAT(line("the worst log"), HasSubstr("1.05 | 1.25 (TWO) **missed** |"));
  EXPECT_THAT(line("of the gap"), HasSubstr("50 % | 83 % |"));
  EXPECT_THAT(line("longest wait"), HasSubstr("2.00 | 3.00 (TWO) **missed** | 1.00 ("));
  EXPECT_THAT(line("utilization"), HasSubstr("-0.03 | 0.000 |"));
  // It was not tried without the guard.
  EXPECT_THAT(line("slowdown without the guard"), HasSubstr("0.65 |  | 1.000"));
}

// It stands beside the whole model that learned from the same, and counts for nothing else.
TEST_F(LearnedPage, AVariantStandsBesideItsCounterpart) {
  EXPECT_THAT(text(), Not(HasSubstr("## What each part adds")));
  models_.push_back(models_.front());
  models_.push_back({"/v", "v", models_.front().facts});
  models_[1].file = models_[1].name = "/other";
  models_[1].facts["seed"] = "8";
  models_[2].facts["variant"] = "choices alone";
  const StudiedLog& log = page_.plan.logs[1];
  for (const StudiedModel& model : models_) {
    page_.plan.others.push_back(learned_rule(model.file, true));
    page_.plan.learned_from[model.file] = {"ONE-2001-1"};
  }
  set(log, learned_rule("/other", true), 5);
  set(log, learned_rule("/v", true), 20);
  const std::string page = text();
  EXPECT_THAT(page, HasSubstr("| choices alone | 1 | 2.000 [2.000, 2.000] | 1.000 [1.000, 1.000] | "
                              "2.000 [2.000, 2.000] |"));
  EXPECT_THAT(page, HasSubstr("| learned | 0.707 [0.707, 0.707] |"));
}

}  // namespace
}  // namespace hyades
