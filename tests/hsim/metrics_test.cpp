// The figures of replays, and the check that a replay can be true.
#include "hsim/metrics.hpp"

#include <gtest/gtest.h>

#include "hsim/metrics_output.hpp"
#include "hsim/replay_check.hpp"
#include "hsim/windows.hpp"
#include "report_samples.hpp"

namespace hyades {
namespace {

using namespace samples;

// Four jobs on four processors: one waits 50 s for 1 s of work, which counts as 10.
Workload four_jobs() {
  return workload(4,
                  {job(1, 100, 50, 4), job(2, 100, 1, 2), job(3, 120, 30, 2), job(4, 150, 20, 1)});
}

TEST(Metrics, OfFourJobsWorkedOutByHand) {
  std::vector<ReplayedJob> jobs = started({100, 150, 150, 151});
  jobs[3].why = StartReason::Backfill;
  const Metrics metrics = measure(four_jobs(), jobs);
  EXPECT_EQ(metrics.jobs, 4);
  EXPECT_DOUBLE_EQ(metrics.avg_bsld, (1 + 5.1 + 2 + 1.05) / 4);
  EXPECT_DOUBLE_EQ(metrics.max_bsld, 5.1);
  EXPECT_DOUBLE_EQ(metrics.p50_bsld, (1.05 + 2) / 2);
  EXPECT_DOUBLE_EQ(metrics.p95_bsld, 2 + .85 * (5.1 - 2));
  EXPECT_DOUBLE_EQ(metrics.p99_bsld, 2 + .97 * (5.1 - 2));
  EXPECT_DOUBLE_EQ(metrics.avg_wait, (0 + 50 + 30 + 1) / 4.0);
  EXPECT_DOUBLE_EQ(metrics.p50_wait, 15.5);
  EXPECT_DOUBLE_EQ(metrics.p95_wait, 30 + .85 * 20);
  EXPECT_DOUBLE_EQ(metrics.p99_wait, 30 + .97 * 20);
  EXPECT_EQ(metrics.max_wait, 50);
  EXPECT_DOUBLE_EQ(metrics.avg_turnaround, (50 + 51 + 60 + 21) / 4.0);
  EXPECT_EQ(metrics.makespan, 80);
  EXPECT_DOUBLE_EQ(metrics.utilization, (200 + 2 + 60 + 20) / (80 * 4.0));
  EXPECT_EQ(metrics.backfilled, 1);
}

TEST(Metrics, OfNothingAndOfOneJob) {
  EXPECT_EQ(measure(workload(4, {}), {}), Metrics{});
  const Metrics one = measure(workload(2, {job(1, 7, 30, 1)}), started({7}));
  EXPECT_EQ(one.jobs, 1);
  EXPECT_DOUBLE_EQ(one.p99_bsld, 1);
  EXPECT_DOUBLE_EQ(one.utilization, 0.5);
}

TEST(Metrics, PercentilesLieBetweenTheNearestTwo) {
  EXPECT_DOUBLE_EQ(percentile({}, .5), 0);
  EXPECT_DOUBLE_EQ(percentile({3}, .95), 3);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4, 5}, 0), 1);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4, 5}, 1), 5);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4, 5}, .5), 3);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 5}, .9), 3 + .7 * 2);
}

TEST(Metrics, AsJsonHaveThePromisedKeysFirstAndComeBack) {
  const Workload log = random_workload(32, 200, 5);
  const Metrics metrics = measure(log, fcfs(log));
  const Json json = metrics_json(metrics);
  const char* promised[] = {"jobs",     "avg_bsld", "p95_bsld", "max_bsld",    "avg_wait",
                            "p95_wait", "p99_wait", "max_wait", "utilization", "makespan"};
  auto at = json.begin();
  for (const char* key : promised) {
    ASSERT_NE(at, json.end());
    EXPECT_EQ(at.key(), key);
    ++at;
  }
  Metrics back;
  ASSERT_TRUE(metrics_from_json(Json::parse(json.dump()), back));
  EXPECT_EQ(back, metrics);
  Json broken = json;
  broken["p99_wait"] = "much";
  EXPECT_FALSE(metrics_from_json(broken, back));
  broken.erase("p99_wait");
  EXPECT_FALSE(metrics_from_json(broken, back));
  EXPECT_FALSE(metrics_from_json(Json::array(), back));
}

TEST(Metrics, AsTextSayTheirUnits) {
  const std::string text = metrics_text(measure(four_jobs(), started({100, 150, 150, 151})), {});
  EXPECT_NE(text.find("utilization 88.1 %"), std::string::npos) << text;
  EXPECT_NE(text.find("makespan    1:20"), std::string::npos) << text;
  EXPECT_NE(text.find("20.2 s"), std::string::npos) << text;
  EXPECT_EQ(seconds_text(59.96), "60.0 s");
  EXPECT_EQ(seconds_text(61.4), "1:01");
  EXPECT_EQ(seconds_text(-90), "-1:30");
}

TEST(Metrics, OfSeveralReplaysMarkTheBest) {
  Metrics slow, fast;
  slow.avg_bsld = 3, slow.utilization = .9;
  fast.avg_bsld = 2, fast.utilization = .8;
  Terminal terminal;
  terminal.colour = true;
  const std::string text = metrics_table({{"slow", slow}, {"fast", fast}}, terminal);
  EXPECT_NE(text.find("\x1b[32m2.00"), std::string::npos) << text;
  EXPECT_EQ(text.find("\x1b[32m3.00"), std::string::npos) << text;
  EXPECT_NE(text.find("\x1b[32m90.0 %"), std::string::npos) << text;
}

// ---- what cannot be ----------------------------------------------------------------------------

TEST(ReplayCheck, FindsNothingInTrueReplays) {
  EXPECT_EQ(check_replay(four_jobs(), started({100, 150, 150, 151})), "");
  EXPECT_EQ(check_replay(workload(4, {}), {}), "");
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Workload log = random_workload(48, 300, seed);
    EXPECT_EQ(check_replay(log, fcfs(log)), "") << "seed " << seed;
  }
}

TEST(ReplayCheck, JobsThatAreMissingOrWereNeverStarted) {
  EXPECT_EQ(check_replay(four_jobs(), started({100, 150, 150})),
            "the replay has 3 jobs and the workload 4");
  EXPECT_EQ(check_replay(four_jobs(), started({100, 150, -1, 151})),
            "job 3, submitted at second 120, was never started");
}

TEST(ReplayCheck, JobsThatStartBeforeTheyAreSubmitted) {
  EXPECT_EQ(check_replay(four_jobs(), started({100, 150, 151, 149})),
            "job 4 was started at second 149 and submitted only at second 150");
}

TEST(ReplayCheck, MoreProcessorsThanThereAre) {
  EXPECT_EQ(check_replay(four_jobs(), started({100, 150, 149, 151})),
            "with job 3, started at second 149, 6 processors are in use and the machine has 4");
  // The job that runs until then has given its processors back.
  EXPECT_EQ(check_replay(workload(4, {job(1, 0, 10, 4), job(2, 0, 10, 4)}), started({0, 10})), "");
  EXPECT_NE(check_replay(workload(4, {job(1, 0, 10, 4), job(2, 0, 10, 1)}), started({0, 9})), "");
}

TEST(ReplayCheck, OfTwoViolationsTheFirstInTimeIsTold) {
  const Workload log = workload(2, {job(1, 0, 10, 2), job(2, 0, 10, 2), job(3, 90, 10, 1)});
  EXPECT_EQ(check_replay(log, started({0, 5, 80})),
            "with job 2, started at second 5, 4 processors are in use and the machine has 2");
  EXPECT_EQ(check_replay(log, started({50, 55, 20})),
            "job 3 was started at second 20 and submitted only at second 90");
}

TEST(ReplayCheck, EveryStartMovedByASecondIsFound) {
  const Workload log = workload(8, {job(1, 0, 100, 8), job(2, 0, 50, 8), job(3, 10, 70, 8)});
  const std::vector<std::int64_t> starts = {0, 100, 150};
  EXPECT_EQ(check_replay(log, started(starts)), "");
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::vector<std::int64_t> moved = starts;
    --moved[i];
    EXPECT_NE(check_replay(log, started(moved)), "") << "job " << i + 1;
  }
}

TEST(MakespanBounds, AreHeightAndArea) {
  // One long job at the end, then much work from the middle on.
  const MakespanBounds tall =
      makespan_bounds(workload(10, {job(1, 100, 10, 1), job(2, 150, 500, 1)}));
  EXPECT_EQ(tall.height_s, 550);
  EXPECT_DOUBLE_EQ(tall.area_s, 50 + 50);
  const MakespanBounds wide =
      makespan_bounds(workload(4, {job(1, 100, 10, 1), job(2, 150, 60, 4), job(3, 150, 60, 3)}));
  EXPECT_EQ(wide.height_s, 110);
  EXPECT_DOUBLE_EQ(wide.area_s, 50 + 105);
}

TEST(MakespanBounds, AMakespanBelowThemIsRefused) {
  const Workload log = workload(4, {job(1, 100, 10, 1), job(2, 150, 60, 4), job(3, 150, 60, 3)});
  EXPECT_EQ(check_makespan(log, 170), "");
  EXPECT_EQ(check_makespan(log, 155), "");
  EXPECT_EQ(check_makespan(log, 154),
            "the last job ends 154 s after the first was submitted, and that cannot be before "
            "155 s, even if all processors were always in use");
  EXPECT_EQ(check_makespan(log, 109),
            "the last job ends 109 s after the first was submitted, and that cannot be before "
            "110 s, even if no job waited");
}

// ---- windows -----------------------------------------------------------------------------------

TEST(Windows, LieInTheMiddleOfEqualParts) {
  const auto firsts = [](std::size_t jobs, std::size_t count, std::size_t length) {
    std::vector<std::size_t> out;
    for (const Window& window : evenly_spaced_windows(jobs, count, length)) {
      EXPECT_EQ(window.count, length);
      EXPECT_LE(window.first + window.count, jobs);
      out.push_back(window.first);
    }
    return out;
  };
  using Firsts = std::vector<std::size_t>;
  EXPECT_EQ(firsts(202871, 6, 1024), (Firsts{16820, 50461, 84102, 117744, 151385, 185026}));
  EXPECT_EQ(firsts(28467, 5, 256), (Firsts{2821, 8463, 14105, 19747, 25389}));
  EXPECT_EQ(firsts(100, 1, 99), (Firsts{0}));
  EXPECT_EQ(firsts(100, 1, 90), (Firsts{5}));
}

TEST(Windows, OfAShortLogAreTheLogItself) {
  const std::vector<Window> windows = evenly_spaced_windows(500, 30, 1024);
  ASSERT_EQ(windows.size(), 1u);
  EXPECT_EQ(windows[0].first, 0u);
  EXPECT_EQ(windows[0].count, 500u);
  EXPECT_TRUE(evenly_spaced_windows(0, 30, 1024).empty());
  EXPECT_TRUE(evenly_spaced_windows(500, 0, 1024).empty());
}

}  // namespace
}  // namespace hyades
