// Replays of windows of four logs against yardsticks that were made by another scheduler: every
// start time exactly, every average to 1e-6. Skipped where the logs are not.
#include <gtest/gtest.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "core/queue_order.hpp"
#include "golden_logs.hpp"
#include "hsim/metrics.hpp"
#include "hsim/replay.hpp"
#include "hsim/replay_check.hpp"
#include "policy/backfill_policy.hpp"

namespace hyades {
namespace {

using nlohmann::json;

// Some rows of one file, so that they can be replayed side by side.
struct GoldenRows {
  const char* golden;  // "KTH-SP2"
  const char* log;
  const char* kind;      // "starts", "std"
  const char* backfill;  // of the rows; "": every one
  int rows;
};

void PrintTo(const GoldenRows& rows, std::ostream* out) {
  *out << rows.golden << " " << rows.kind << " " << rows.backfill;
}

class GoldenReplay : public testing::TestWithParam<GoldenRows> {
 protected:
  void SetUp() override {
    if (!has_golden_logs()) GTEST_SKIP() << "no logs and yardsticks in " << HYADES_TRACES;
    log_ = golden_log(GetParam().log);
    golden_ = golden_file(GetParam().golden, GetParam().kind);
    ASSERT_EQ(golden_["loaded_jobs"].get<std::size_t>(), log_.jobs.size());
    ASSERT_EQ(golden_["procs"].get<int>(), log_.procs);
  }

  // The rows that this test is about, each with its jobs and what became of them. Bounds, which are
  // rows as well, are of no scheduler.
  template <typename Compare>
  void replay_rows(const Compare& compare) const;

  Workload log_;
  json golden_;
};

std::string words(const json& row) {
  return row["policy"].get<std::string>() + " " + row["backfill"].get<std::string>() + " from " +
         row["start"].dump() + ", " + row["length"].dump() + " jobs";
}

Replay replay_as(const Workload& jobs, const json& row) {
  QueueOrder order = QueueOrder::Fcfs;
  Backfill backfill = Backfill::None;
  EXPECT_TRUE(parse_queue_order(row["policy"].get<std::string>(), order)) << words(row);
  EXPECT_TRUE(parse_backfill(row["backfill"].get<std::string>(), backfill)) << words(row);
  BackfillPolicy policy(origin_ms(jobs));
  ReplayOptions options;
  options.config = std::make_shared<ClusterConfig>(pool_of(jobs.procs, order, backfill));
  return replay(jobs, policy, options);
}

template <typename Compare>
void GoldenReplay::replay_rows(const Compare& compare) const {
  const std::string backfill = GetParam().backfill;
  int rows = 0;
  for (const json& row : golden_["results"]) {
    if (!row.contains("policy") || (!backfill.empty() && row["backfill"] != backfill)) continue;
    const Workload jobs = cut(log_, {row["start"], row["length"]});
    const Replay replayed = replay_as(jobs, row);
    ASSERT_EQ(replayed.refused, 0u) << words(row) << ": " << replayed.first_refusal;
    ASSERT_EQ(check_replay(jobs, replayed.jobs), "") << words(row);
    compare(row, jobs, replayed.jobs);
    if (HasFatalFailure()) return;
    ++rows;
  }
  EXPECT_EQ(rows, GetParam().rows) << "a file that lost rows would show nothing";
}

void expect_starts(const json& row, const Workload& jobs,
                   const std::vector<ReplayedJob>& replayed) {
  ASSERT_EQ(row["job_ids"].size(), jobs.jobs.size()) << words(row);
  for (std::size_t i = 0; i < jobs.jobs.size(); ++i) {
    ASSERT_EQ(jobs.jobs[i].id, row["job_ids"][i].get<std::int64_t>()) << words(row);
    ASSERT_EQ(replayed[i].start_s, row["starts"][i].get<std::int64_t>())
        << words(row) << ": job " << jobs.jobs[i].id;
  }
}

// The yardsticks have 6 decimals, of which the last is rounded.
void expect_close(double value, const json& golden, const std::string& what) {
  const auto expected = golden.get<double>();
  EXPECT_NEAR(value, expected, kExact * std::max(1.0, std::abs(expected))) << what;
}

void expect_averages(const json& row, const Workload& jobs,
                     const std::vector<ReplayedJob>& replayed) {
  const Metrics metrics = measure(jobs, replayed);
  const std::string what = words(row);
  EXPECT_EQ(metrics.jobs, row["jobs"].get<std::int64_t>()) << what;
  EXPECT_EQ(metrics.makespan, row["makespan"].get<std::int64_t>()) << what;
  EXPECT_EQ(static_cast<double>(metrics.max_wait), row["max_wait"].get<double>()) << what;
  expect_close(metrics.avg_bsld, row["avg_bsld"], what + ": avg_bsld");
  expect_close(metrics.max_bsld, row["max_bsld"], what + ": max_bsld");
  expect_close(metrics.p50_bsld, row["p50_bsld"], what + ": p50_bsld");
  expect_close(metrics.p95_bsld, row["p95_bsld"], what + ": p95_bsld");
  expect_close(metrics.avg_wait, row["avg_wait"], what + ": avg_wait");
  expect_close(metrics.avg_turnaround, row["avg_turnaround"], what + ": avg_turnaround");
  expect_close(metrics.utilization, row["utilization"], what + ": utilization");
}

class GoldenStarts : public GoldenReplay {};
TEST_P(GoldenStarts, AreTheSame) { replay_rows(expect_starts); }

class GoldenAverages : public GoldenReplay {};
TEST_P(GoldenAverages, AreTheSame) { replay_rows(expect_averages); }

struct Log {
  const char* golden;
  const char* log;
};
constexpr Log kLogs[] = {{"lublin_256", "lublin_256.swf.gz"},
                         {"HPC2N", "HPC2N-2002-2.2-cln.swf.gz"},
                         {"KTH-SP2", "KTH-SP2-1996-2.1-cln.swf.gz"},
                         {"SDSC-SP2-derived", "SDSC-SP2-1998-4-derived.swf.gz"}};

std::vector<GoldenRows> starts() {
  std::vector<GoldenRows> all;
  for (const Log& log : kLogs) all.push_back({log.golden, log.log, "starts", "", 60});
  return all;
}

std::vector<GoldenRows> averages() {
  std::vector<GoldenRows> all;
  for (const Log& log : kLogs) {
    all.push_back({log.golden, log.log, "std", "none", 110});
    all.push_back({log.golden, log.log, "std", "easy", 110});
    all.push_back({log.golden, log.log, "std", "easy-fcfs", 33});
    all.push_back({log.golden, log.log, "std", "easy-sjbf", 33});
    all.push_back({log.golden, log.log, "std", "cons", 10});
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<GoldenRows>& info) {
  std::string name = info.param.golden;
  if (*info.param.backfill != 0) name += std::string("_") + info.param.backfill;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Logs, GoldenStarts, testing::ValuesIn(starts()), name_of);
INSTANTIATE_TEST_SUITE_P(Logs, GoldenAverages, testing::ValuesIn(averages()), name_of);

}  // namespace
}  // namespace hyades
