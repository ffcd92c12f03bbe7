// How the queues are doing: as telemetry, and on Prometheus' page.
#include "master/queue_meter.hpp"

#include <gtest/gtest.h>

#include "../controller/test_cluster.hpp"
#include "master/metrics_page.hpp"
#include "master/telemetry_board.hpp"

namespace hyades {
namespace {

class Heard final : public TelemetrySink {
 public:
  void take(const std::string& node, const TelemetryReport& report) override {
    EXPECT_EQ(node, kQueuesAsNode);
    (report.whole_minute ? minutes : reports).push_back(report);
  }
  std::vector<TelemetryReport> reports;
  std::vector<TelemetryReport> minutes;
};

constexpr double kNone = -1e9;

double value_of(const std::vector<Figure>& figures, const std::string& name) {
  for (const Figure& figure : figures) {
    if (figure.name == name) return figure.value;
  }
  return kNone;
}

JobEvent ended(JobId job, Outcome outcome) { return {job, 1, Ended{.outcome = outcome}}; }

class QueueMeterTest : public testing::Test {
 protected:
  static ClusterConfig with_queues() {
    ClusterConfig config = TestCluster::patient();
    config.queues = {{.name = "batch"}, {.name = "long"}};
    return config;
  }
  void turn() { meter_.turn(cluster_.controller(), counts_, cluster_.now(), heard_); }
  // For so long, as the master's loop would.
  void run_for(BootMs ms) {
    for (BootMs passed = 0; passed < ms; passed += 500) {
      cluster_.advance(500);
      turn();
    }
  }
  double last(const std::string& name) {
    return heard_.reports.empty() ? kNone : value_of(heard_.reports.back().node, name);
  }

  TestCluster cluster_{with_queues()};
  Heard heard_;
  QueueMeter meter_;
  JobCounts counts_;
  SimClock clock_;
};

TEST_F(QueueMeterTest, TellsWhatWaitsAndRuns) {
  cluster_.nodes(1, 4);
  cluster_.running(a_job().queue("batch").cores(3));
  cluster_.submit(a_job().queue("batch").cores(2).priority(-3));
  cluster_.submit(a_job().queue("batch").cores(4).priority(-5));
  cluster_.submit(a_job().queue("batch").held());
  cluster_.forget();
  cluster_.advance(10'000);
  turn();
  EXPECT_EQ(last("queue.batch.pending"), 3);
  EXPECT_EQ(last("queue.batch.eligible"), 2);
  EXPECT_EQ(last("queue.batch.eligible_cores"), 6);
  EXPECT_EQ(last("queue.batch.running"), 1);
  EXPECT_EQ(last("queue.batch.running_cores"), 3);
  EXPECT_EQ(last("queue.batch.oldest_wait"), 10);
  EXPECT_EQ(last("queue.batch.highest_priority"), -3);
  EXPECT_EQ(last("queue.long.pending"), 0);
  EXPECT_EQ(last("queue.long.oldest_wait"), kNone);  // nobody waits, so nobody for no time
  cluster_.forget();
}

TEST_F(QueueMeterTest, RatesAreOfWhatCameAndEnded) {
  cluster_.nodes(1, 4);
  turn();
  counts_.note({.new_jobs = {},
                .job_events = {{1, 1, Submitted{}},
                               {1, 1, Started{}},
                               ended(1, Outcome::Completed),
                               ended(2, Outcome::TimedOut)},
                .node_events = {}});
  counts_.note(
      {.new_jobs = {}, .job_events = {{3, 1, Submitted{}}, {3, 1, Requeued{}}}, .node_events = {}});
  EXPECT_EQ(counts_.submitted, 2u);
  EXPECT_EQ(counts_.requeued, 1u);
  run_for(10'000);
  EXPECT_EQ(last("jobs.timeout"), 0) << "what is long past is still told";
  EXPECT_EQ(last("jobs.submitted"), 0);
  double most = 0;
  for (const TelemetryReport& report : heard_.reports) {
    most = std::max(most, value_of(report.node, "jobs.submitted"));
  }
  EXPECT_NEAR(most, 2.0 / 5, 0.05);
}

// It is told as often as nodes tell; minutes are kept; an idle master has little to do.
TEST_F(QueueMeterTest, KeepsToItsPeriods) {
  cluster_.nodes(1, 4);
  const JobId job = cluster_.running(a_job().queue("batch").cores(4));
  run_for(120'000);
  EXPECT_GE(heard_.reports.size(), 50u);
  EXPECT_LE(heard_.reports.size(), 61u);
  ASSERT_GE(heard_.minutes.size(), 1u);
  EXPECT_EQ(value_of(heard_.minutes.back().node, "queue.batch.running"), 1);
  EXPECT_EQ(value_of(heard_.minutes.back().node, "queue.batch.running.max"), 1);
  EXPECT_EQ(heard_.minutes.back().from_ms % 60'000, 0);
  cluster_.exits(job);
  cluster_.forget();
  run_for(10'000);
  heard_.reports.clear();
  run_for(60'000);
  EXPECT_LE(heard_.reports.size(), 13u);
  EXPECT_GE(heard_.reports.size(), 5u);
}

TEST_F(QueueMeterTest, SaysNothingWhereTelemetryIsOff) {
  ClusterConfig config = with_queues();
  config.node_settings.telemetry.enabled = false;
  TestCluster off(config);
  meter_.turn(off.controller(), counts_, off.now(), heard_);
  EXPECT_TRUE(heard_.reports.empty());
}

TEST_F(QueueMeterTest, PrometheusIsTold) {
  cluster_.nodes(1, 4);
  cluster_.running(a_job().queue("batch").cores(3));
  cluster_.submit(a_job().queue("batch").cores(2));
  cluster_.advance(4000);
  cluster_.forget();
  counts_.note({.new_jobs = {}, .job_events = {ended(1, Outcome::Failed)}, .node_events = {}});
  TelemetryBoard board(nullptr, clock_);
  const auto page =
      metrics_page(cluster_.controller(), board, {.jobs = counts_, .now_ms = cluster_.now_ms()});
  const auto find = [&](const std::string& name, const std::string& label) {
    for (const auto& family : page) {
      if (family.name != name) continue;
      for (const auto& metric : family.metric) {
        if (metric.label.at(0).value == label) return metric.gauge.value + metric.counter.value;
      }
    }
    return kNone;
  };
  EXPECT_EQ(find("hyades_queue_oldest_wait_seconds", "batch"), 4);
  EXPECT_EQ(find("hyades_queue_oldest_wait_seconds", "long"), 0);
  EXPECT_EQ(find("hyades_queue_eligible_cores", "batch"), 2);
  EXPECT_EQ(find("hyades_queue_running_cores", "batch"), 3);
  EXPECT_EQ(find("hyades_jobs_ended_total", "FAILED"), 1);
}

}  // namespace
}  // namespace hyades
