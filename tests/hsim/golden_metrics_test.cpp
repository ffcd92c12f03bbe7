// The figures of replays against those of the yardsticks, to 1e-6: start times, and what follows
// from them. Skipped where the logs are not.
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "golden_logs.hpp"
#include "hsim/metrics.hpp"
#include "hsim/replay_check.hpp"
#include "hsim/windows.hpp"

namespace hyades {
namespace {

using nlohmann::json;

struct GoldenLog {
  const char* golden;  // "KTH-SP2"
  const char* log;
};

void PrintTo(const GoldenLog& log, std::ostream* out) { *out << log.golden; }

class GoldenMetrics : public testing::TestWithParam<GoldenLog> {
 protected:
  void SetUp() override {
    if (!has_golden_logs()) GTEST_SKIP() << "no logs and yardsticks in " << HYADES_TRACES;
    log_ = golden_log(GetParam().log);
  }

  json golden(const std::string& kind) const { return golden_file(GetParam().golden, kind); }

  Workload window(const json& row) const {
    Workload out = log_;
    const auto first = log_.jobs.begin() + row["start"].get<std::ptrdiff_t>();
    out.jobs.assign(first, first + row["length"].get<std::ptrdiff_t>());
    return out;
  }

  Workload log_;
};

std::string words(const json& row) {
  return row["policy"].get<std::string>() + " " + row["backfill"].get<std::string>() + " from " +
         row["start"].dump() + ", " + row["length"].dump() + " jobs";
}

TEST_P(GoldenMetrics, FollowFromTheStartTimes) {
  const json file = golden("starts");
  ASSERT_EQ(file["loaded_jobs"].get<std::size_t>(), log_.jobs.size());
  ASSERT_EQ(file["procs"].get<int>(), log_.procs);
  int rows = 0;
  for (const json& row : file["results"]) {
    const Workload jobs = window(row);
    std::vector<ReplayedJob> replayed;
    for (std::size_t i = 0; i < jobs.jobs.size(); ++i) {
      ASSERT_EQ(jobs.jobs[i].id, row["job_ids"][i].get<std::int64_t>()) << words(row);
      replayed.push_back({row["starts"][i].get<std::int64_t>(), StartReason::Immediate});
    }
    ASSERT_EQ(check_replay(jobs, replayed), "") << words(row);
    const Metrics metrics = measure(jobs, replayed);
    EXPECT_EQ(metrics.jobs, row["jobs"].get<std::int64_t>());
    EXPECT_NEAR(metrics.avg_bsld, row["avg_bsld"].get<double>(), kExact) << words(row);
    EXPECT_NEAR(metrics.max_bsld, row["max_bsld"].get<double>(), kExact) << words(row);
    EXPECT_NEAR(metrics.p50_bsld, row["p50_bsld"].get<double>(), kExact) << words(row);
    EXPECT_NEAR(metrics.p95_bsld, row["p95_bsld"].get<double>(), kExact) << words(row);
    EXPECT_NEAR(metrics.avg_wait, row["avg_wait"].get<double>(), kExact) << words(row);
    EXPECT_EQ(static_cast<double>(metrics.max_wait), row["max_wait"].get<double>()) << words(row);
    EXPECT_NEAR(metrics.avg_turnaround, row["avg_turnaround"].get<double>(), kExact) << words(row);
    EXPECT_NEAR(metrics.utilization, row["utilization"].get<double>(), kExact) << words(row);
    EXPECT_EQ(metrics.makespan, row["makespan"].get<std::int64_t>()) << words(row);
    ++rows;
  }
  EXPECT_GE(rows, 60);
}

TEST_P(GoldenMetrics, BoundsAreTheSame) {
  const json file = golden("std");
  int rows = 0;
  for (const json& row : file["results"]) {
    if (!row.contains("bounds")) continue;
    const Workload jobs = window(row);
    const MakespanBounds bounds = makespan_bounds(jobs);
    EXPECT_EQ(bounds.height_s, row["bounds"]["makespan_height"].get<std::int64_t>());
    EXPECT_NEAR(bounds.area_s, row["bounds"]["makespan_area"].get<double>(), kExact);
    const auto least = row["bounds"]["makespan_lb"].get<double>();
    EXPECT_EQ(check_makespan(jobs, static_cast<std::int64_t>(std::ceil(least))), "");
    EXPECT_NE(check_makespan(jobs, static_cast<std::int64_t>(std::ceil(least)) - 1), "");
    ++rows;
  }
  EXPECT_EQ(rows, 11);
}

TEST_P(GoldenMetrics, WindowsLieWhereTheYardsticksHaveThem) {
  const json file = golden("std");
  std::map<std::size_t, std::set<std::size_t>> firsts;  // by length
  for (const json& row : file["results"]) {
    firsts[row["length"].get<std::size_t>()].insert(row["start"].get<std::size_t>());
  }
  ASSERT_EQ(firsts.size(), 2u);
  for (const auto& [length, expected] : firsts) {
    std::set<std::size_t> ours;
    for (const Window& window : evenly_spaced_windows(log_.jobs.size(), expected.size(), length)) {
      ours.insert(window.first);
    }
    EXPECT_EQ(ours, expected) << length << " jobs";
  }
}

INSTANTIATE_TEST_SUITE_P(Logs, GoldenMetrics,
                         testing::Values(GoldenLog{"lublin_256", "lublin_256.swf.gz"},
                                         GoldenLog{"HPC2N", "HPC2N-2002-2.2-cln.swf.gz"},
                                         GoldenLog{"KTH-SP2", "KTH-SP2-1996-2.1-cln.swf.gz"},
                                         GoldenLog{"SDSC-SP2-derived",
                                                   "SDSC-SP2-1998-4-derived.swf.gz"}),
                         [](const auto& info) {
                           std::string name = info.param.golden;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace hyades
