// Studies: what is tried, that it can be ended and taken up again, and what the page says.
#include "hsim/study.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "cli/failure.hpp"
#include "hsim/dot_chart.hpp"
#include "hsim/study_cache.hpp"
#include "hsim/study_report.hpp"
#include "hsim/study_runner.hpp"
#include "hsim/study_tables.hpp"
#include "hsim/windows.hpp"
#include "report_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

// Two logs, three windows each; two policies.
struct Samples {
  std::vector<Workload> logs;
  StudyPlan plan;

  Samples() {
    for (const char* name : {"ONE-1999-1", "two"}) {
      logs.push_back(random_workload(32, 200, logs.size() + 1));
      logs.back().name = name;
      plan.logs.push_back({name, 32, 200, evenly_spaced_windows(200, 3, 50)});
    }
    plan.policies = {"fcfs", "saf"};
    plan.backfills = {"none", "easy"};
  }
};

// Every rule its own start times: later by what its words are long. None too early, no two at once.
using Earlier = std::span<const TraceJob>;

std::vector<ReplayedJob> one_by_one(const Workload& workload, const Rule& rule) {
  std::vector<ReplayedJob> out;
  std::int64_t now_s = 0;
  for (const TraceJob& job : workload.jobs) {
    now_s = std::max(now_s, job.submit_s) + static_cast<std::int64_t>(rule_text(rule).size());
    out.push_back({now_s, StartReason::Immediate});
    now_s += job.run_s;
  }
  return out;
}

// A file that is gone when the test ends.
struct CacheFile {
  std::string path = testing::TempDir() + "hyades-study-" +
                     testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl";
  CacheFile() { std::filesystem::remove(path); }
  ~CacheFile() { std::filesystem::remove(path); }

  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }
};

std::size_t run_study(const Samples& samples, const std::string& path, const std::string& stamp,
                      int threads, StudyResults& results) {
  std::atomic<std::size_t> replays{0};
  StudyCache cache(path, stamp);
  cache.load(samples.plan, results);
  StudyRunner(samples.plan, samples.logs, [&](const Workload& workload, Earlier, const Rule& rule) {
    ++replays;
    return one_by_one(workload, rule);
  }).run(threads, cache, results, {});
  return replays;
}

TEST(StudyPlan, TriesEveryPairAndWithEasyTheRest) {
  Samples samples;
  std::vector<std::string> texts;
  for (const Rule& rule : samples.plan.rules()) texts.push_back(rule_text(rule));
  EXPECT_EQ(texts, (std::vector<std::string>{"fcfs, none", "fcfs, easy", "saf, none", "saf, easy",
                                             "fcfs, easy, guarded", "fcfs, easy, exact run times",
                                             "saf, easy, guarded", "saf, easy, exact run times"}));
  samples.plan.guarded = samples.plan.exact = false;
  EXPECT_EQ(samples.plan.rules().size(), 4u);
}

TEST(StudyPlan, LogsAreCalledAsPeopleCallThem) {
  const auto name = [](const std::string& text) { return short_name({text, 1, 1, {}}); };
  EXPECT_EQ(name("HPC2N-2002-2.2-cln"), "HPC2N");
  EXPECT_EQ(name("SDSC-SP2-1998-4-derived"), "SDSC-SP2");
  EXPECT_EQ(name("lublin_256"), "lublin_256");
  EXPECT_EQ(name("cluster-20261"), "cluster-20261");
  EXPECT_EQ(name("history-2026"), "history");
  EXPECT_EQ(name("-1999"), "-1999");
}

TEST(StudyRunner, ReplaysEveryWindowOnceWhateverTheThreads) {
  const Samples samples;
  StudyResults one, four;
  EXPECT_EQ(run_study(samples, "", "", 1, one), 2u * 8 * 3);
  EXPECT_EQ(run_study(samples, "", "", 4, four), 2u * 8 * 3);
  for (const StudiedLog& log : samples.plan.logs) {
    for (const Rule& rule : samples.plan.rules()) {
      ASSERT_EQ(one.of(log, rule).size(), 3u);
      EXPECT_EQ(one.of(log, rule), four.of(log, rule));
    }
  }
  // Each window is itself: the third begins with job 125 of 0..199.
  Workload last = samples.logs[0];
  last.jobs.assign(samples.logs[0].jobs.begin() + 125, samples.logs[0].jobs.begin() + 175);
  const Rule rule{"saf", "none"};
  EXPECT_EQ(one.of(samples.plan.logs[0], rule)[2], measure(last, one_by_one(last, rule)));
}

// What a thread has started may end with it (an advisor does), and another may still be using it.
TEST(StudyRunner, NoThreadLeavesWhileAnotherPlays) {
  static std::atomic<int> left{0};
  struct Leaver {
    ~Leaver() { ++left; }
  };
  const Samples samples;
  constexpr std::size_t all = 2u * 8 * 3;
  std::atomic<std::size_t> begun{0}, ended{0};
  StudyCache cache("", "");
  StudyResults results;
  StudyRunner(samples.plan, samples.logs, [&](const Workload& workload, Earlier, const Rule& rule) {
    thread_local Leaver leaver;
    if (++begun == all) {
      while (ended < all - 1) std::this_thread::yield();
      // The others have nothing left to do: whoever does not wait is gone within this time.
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
      while (left == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
      EXPECT_EQ(left, 0);
    }
    ++ended;
    return one_by_one(workload, rule);
  }).run(4, cache, results, {});
}

TEST(StudyRunner, ExactRunTimesAreGivenToTheScheduler) {
  Samples samples;
  for (Workload& log : samples.logs) {
    for (TraceJob& job : log.jobs) job.request_s = job.run_s * 3;
  }
  std::atomic<int> exact{0}, estimated{0};
  StudyCache cache("", "");
  StudyResults results;
  StudyRunner(samples.plan, samples.logs, [&](const Workload& workload, Earlier, const Rule& rule) {
    const TraceJob& job = workload.jobs.front();
    EXPECT_EQ(job.request_s, rule.exact ? job.run_s : 3 * job.run_s);
    ++(rule.exact ? exact : estimated);
    return one_by_one(workload, rule);
  }).run(1, cache, results, {});
  EXPECT_EQ(exact, 12);
  EXPECT_EQ(estimated, 36);
}

TEST(StudyRunner, AWrongReplayEndsTheStudyAndIsNamed) {
  const Samples samples;
  StudyCache cache("", "");
  StudyResults results;
  const StudyRunner runner(samples.plan, samples.logs,
                           [](const Workload& workload, Earlier, const Rule& rule) {
                             auto jobs = one_by_one(workload, rule);
                             if (rule.policy == "saf" && rule.backfill == "none") {
                               jobs[7].start_s = -1;
                             }
                             return jobs;
                           });
  try {
    runner.run(2, cache, results, {});
    FAIL() << "it was accepted";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("saf, none, 50 jobs from "), std::string::npos)
        << failure.what();
  }
}

TEST(StudyRunner, WhatAReplayThrowsComesOut) {
  const Samples samples;
  StudyCache cache("", "");
  StudyResults results;
  const StudyRunner runner(samples.plan, samples.logs,
                           [](const Workload&, Earlier, const Rule&) -> std::vector<ReplayedJob> {
                             throw std::runtime_error("no machine");
                           });
  EXPECT_THROW(runner.run(3, cache, results, {}), std::runtime_error);
}

// ---- the cache ---------------------------------------------------------------------------------

TEST(StudyCache, AStudyIsTakenUpWhereItEnded) {
  Samples samples;
  const CacheFile file;
  StudyResults first, second;
  samples.plan.policies = {"fcfs"};
  EXPECT_EQ(run_study(samples, file.path, "a", 2, first), 2u * 4 * 3);
  samples.plan.policies = {"fcfs", "saf"};
  EXPECT_EQ(run_study(samples, file.path, "a", 2, second), 2u * 4 * 3) << "saf alone";
  StudyResults third;
  EXPECT_EQ(run_study(samples, file.path, "a", 2, third), 0u);
  for (const Rule& rule : samples.plan.rules()) {
    EXPECT_EQ(second.of(samples.plan.logs[1], rule), third.of(samples.plan.logs[1], rule))
        << "to the last bit: " << rule_text(rule);
  }
}

TEST(StudyCache, WhatAnotherSchedulerDidIsNotUsed) {
  const Samples samples;
  const CacheFile file;
  StudyResults first, second;
  run_study(samples, file.path, "a", 1, first);
  EXPECT_EQ(run_study(samples, file.path, "b", 1, second), 48u);
}

TEST(StudyCache, ALogThatHasChangedIsReplayedAgain) {
  Samples samples;
  const CacheFile file;
  StudyResults first, second;
  run_study(samples, file.path, "a", 1, first);
  samples.plan.logs[0].procs = 64;
  samples.logs[0].procs = 64;
  EXPECT_EQ(run_study(samples, file.path, "a", 1, second), 24u);
}

TEST(StudyCache, DamagedLinesAreReplayedAndHideNoOthers) {
  const Samples samples;
  const CacheFile file;
  StudyResults first, second, third;
  run_study(samples, file.path, "a", 1, first);
  std::vector<std::string> lines = file.lines();
  ASSERT_EQ(lines.size(), 48u);
  {
    std::ofstream out(file.path);
    out << "\xff\xfe no JSON\n[1, 2]\n{}\n" << lines[0].substr(0, 40) << "\n";
    for (std::size_t i = 2; i + 1 < lines.size(); ++i) out << lines[i] << "\n";
    out << lines.back().substr(0, lines.back().size() / 2);  // and no end
  }
  EXPECT_EQ(run_study(samples, file.path, "a", 1, second), 3u);
  EXPECT_EQ(run_study(samples, file.path, "a", 1, third), 0u);
}

TEST(StudyCache, AFileThatCannotBeWrittenIsAFailure) {
  EXPECT_THROW(StudyCache("/nonexistent/cache.jsonl", "a"), Failure);
}

// ---- the page ----------------------------------------------------------------------------------

Metrics figures_of(double slowdown, double wait_s, std::int64_t longest_s, double utilization) {
  Metrics metrics;
  metrics.jobs = 10;
  metrics.avg_bsld = slowdown;
  metrics.avg_wait = wait_s;
  metrics.max_wait = longest_s;
  metrics.utilization = utilization;
  return metrics;
}

// Two windows of one log; saf is better in the first, f2 in the second.
struct Page {
  StudyPage page;
  StudyResults results;

  Page() {
    page.plan.logs = {{"LOG-2001-1", 64, 100, {{0, 10}, {50, 10}}}};
    page.plan.policies = {"fcfs", "saf", "f2"};
    page.plan.backfills = {"easy"};
    page.bootstrap.resamples = 200;
    page.charts = "policies";
    page.facts = {{"machine", "a test"}};
    add({"fcfs", "easy"}, figures_of(30, 3600, 7200, .8), figures_of(20, 3600, 7200, .8));
    add({"saf", "easy"}, figures_of(4, 1800, 36000, .7), figures_of(8, 1800, 36000, .7));
    add({"f2", "easy"}, figures_of(9, 1800, 3600, .79), figures_of(2, 1800, 7200, .79));
    add({"saf", "easy", true}, figures_of(8, 1800, 7200, .8), figures_of(16, 1800, 10800, .8));
    add({"saf", "easy", false, true}, figures_of(2, 10, 20, .8), figures_of(3, 10, 20, .8));
  }

  void add(const Rule& rule, const Metrics& first, const Metrics& second) {
    results.add("LOG-2001-1", rule, {0, 10}, first);
    results.add("LOG-2001-1", rule, {50, 10}, second);
  }
};

TEST(StudyReport, NamesTheBestRuleAndTheOracle) {
  const Page sample;
  const BestRules best = best_rules(sample.page.plan, sample.results, sample.page.plan.logs[0]);
  EXPECT_EQ(best.policy, "f2");
  EXPECT_DOUBLE_EQ(best.slowdown, 5.5);
  EXPECT_EQ(best.oracle, (std::vector<double>{4, 2}));
  EXPECT_NE(overview_table(sample.page, sample.results)
                .find("| LOG | 25.0 |  | 6.0 | f2 5.5 | 3.0 | 2.5 |  |"),
            std::string::npos)
      << overview_table(sample.page, sample.results);
}

TEST(StudyReport, AWindowThatIsMissingIsNotAveragedOver) {
  Page sample;
  sample.results.add("LOG-2001-1", {"f4", "easy"}, {0, 10}, figures_of(1, 1, 1, 1));
  EXPECT_TRUE(sample.results.of(sample.page.plan.logs[0], {"f4", "easy"}).empty());
}

TEST(StudyReport, RatiosAreGeometricMeansBesideSaf) {
  const Page sample;
  const std::string table = pooled_table(sample.page, sample.results);
  EXPECT_NE(table.find("| fcfs | 4.33 ["), std::string::npos) << "sqrt(30/4 * 20/8)\n" << table;
  EXPECT_NE(table.find("| f2 | 0.75 ["), std::string::npos) << "sqrt(9/4 * 2/8)\n" << table;
  EXPECT_NE(table.find("| oracle | 0.50 ["), std::string::npos) << table;
  EXPECT_NE(table.find("| saf, exact run times | 0.43 ["), std::string::npos) << table;
}

TEST(StudyReport, TheGuardIsShownByWhatItCostsAndGives) {
  const Page sample;
  const std::string table = guard_table(sample.page, sample.results);
  EXPECT_NE(
      table.find("| saf | 2.00 [2.00, 2.00] | 5.00 [5.00, 5.00] | 1.25 [1.00, 1.50] | 1.25 |"),
      std::string::npos)
      << table;
  EXPECT_EQ(table.find("| f2 |"), std::string::npos) << "it was not tried";
}

TEST(StudyReport, LossesAreSaid) {
  Page sample;
  const std::string text = losses(sample.page, sample.results);
  EXPECT_NE(text.find("| saf, easy |  |  | LOG (10.0 against 2.0) | LOG (0.700 against 0.800) |"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("f2"), std::string::npos) << text;
  sample.add({"f2", "easy"}, figures_of(90, 7200, 3600, .79), figures_of(2, 1800, 7200, .79));
  EXPECT_NE(losses(sample.page, sample.results)
                .find("| f2, easy | LOG (46.0 against 25.0) | LOG (1.2 against 1.0) |  |  |"),
            std::string::npos)
      << losses(sample.page, sample.results);
}

TEST(StudyReport, SaysNothingOfRulesThatWereNotTried) {
  Page sample;
  sample.page.plan.policies = {"saf"};
  sample.page.plan.backfills = {"cons"};
  const StudyResults none;
  EXPECT_NE(losses(sample.page, none).find("was not tried"), std::string::npos);
  const std::string page = study_markdown(sample.page, none);
  EXPECT_EQ(page.find("best fixed rule with EASY is"), std::string::npos) << page;
}

TEST(StudyReport, HasTheFactsAndEveryTable) {
  const Page sample;
  const std::string page = study_markdown(sample.page, sample.results);
  for (const char* part : {"| machine | a test |", "200 resamples", "## All logs together",
                           "## LOG-2001-1", "](policies-slowdown.svg)", "](policies-wait.svg)",
                           "saf, guarded", "| saf | 6.0 [4.0, 8.0] |"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part << "\n" << page;
  }
  // Tables have as many cells in each line as in their heads.
  std::size_t cells = 0;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    const auto bars = static_cast<std::size_t>(std::count(line.begin(), line.end(), '|'));
    if (bars == 0) cells = 0;
    if (bars > 0 && cells > 0) {
      EXPECT_EQ(bars, cells) << line;
    }
    cells = bars;
  }
}

TEST(StudyReport, OfWhatWasNotTriedNothingIsSaid) {
  Page sample;
  sample.page.plan.guarded = sample.page.plan.exact = false;
  const std::string page = study_markdown(sample.page, sample.results);
  EXPECT_EQ(page.find("What the guard"), std::string::npos);
  EXPECT_EQ(page.find("saf, guarded"), std::string::npos);
  EXPECT_EQ(page.find("| SAF, exact"), std::string::npos);
}

TEST(StudyCharts, AreDrawnWithTheirNumbers) {
  const Page sample;
  const std::vector<StudyChart> charts = study_charts(sample.page, sample.results);
  ASSERT_EQ(charts.size(), 2u);
  EXPECT_EQ(charts[0].name, "slowdown");
  EXPECT_NE(charts[0].svg.find("fcfs: 25.0 (20.0 to 30.0)"), std::string::npos) << charts[0].svg;
  EXPECT_NE(charts[0].svg.find("LOG, 64 processors"), std::string::npos);
  EXPECT_LT(charts[0].svg.find(">f2<"), charts[0].svg.find(">saf<")) << "the best on top";
  EXPECT_NE(charts[1].svg.find("saf: 5.00 (5.00 to 5.00)"), std::string::npos);
  EXPECT_EQ(charts[1].svg.find("fcfs:"), std::string::npos) << "it is what the others are beside";
}

TEST(LogTicks, AreRoundAndEnough) {
  using Ticks = std::vector<double>;
  EXPECT_EQ(log_ticks(0.9, 2.4), (Ticks{1, 1.5, 2}));
  EXPECT_EQ(log_ticks(15, 300), (Ticks{20, 50, 100, 200}));
  EXPECT_EQ(log_ticks(1, 100000), (Ticks{1, 10, 100, 1000, 10000, 100000}));
  EXPECT_TRUE(log_ticks(0, 10).empty());
  EXPECT_TRUE(log_ticks(3, 2).empty());
}

}  // namespace
}  // namespace hyades
