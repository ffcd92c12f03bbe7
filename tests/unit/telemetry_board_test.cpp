// What nodes report, from the master's memory to telemetry.db and back.
#include "master/telemetry_board.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "master/metrics_page.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

class FakeClock final : public Clock {
 public:
  Now now() override { return {1'800'000'000'000 + boot_ms, boot_ms}; }
  BootMs boot_ms = 1'000'000;
};

JobEvent submitted(JobId id) {
  JobSpec spec;
  spec.name = "train";
  spec.user = "ann";
  return {id, 1, Submitted{spec}};
}

class TelemetryBoardTest : public testing::Test {
 protected:
  TelemetryBoardTest() {
    char name[] = "/tmp/hyades-telemetry-XXXXXX";
    root_ = mkdtemp(name);
    open();
  }
  ~TelemetryBoardTest() override {
    board_.reset();
    store_.reset();
    fs::remove_all(root_);
  }

  // Another master.
  void open() {
    board_.reset();
    store_.reset();
    trouble_.clear();
    store_ = TelemetryStore::open(root_, trouble_);
    board_ = std::make_unique<TelemetryBoard>(store_.get(), clock_);
  }
  void run_job(JobId id, Attempt attempt = 1) {
    if (attempt == 1) jobs_.replay(submitted(id));
    Placement placement;
    placement.shares.push_back({.node = "n1"});
    jobs_.replay(
        {id, 2, Assigned{.key = {id, attempt, id * 10 + attempt}, .placement = placement}});
  }
  void end_job(JobId id, Attempt attempt = 1) {
    jobs_.replay({id, 3, Started{.key = {id, attempt, id * 10 + attempt}}});
    jobs_.replay({id, 4, Ended{.outcome = Outcome::Completed}});
    jobs_.forget_ended();
  }
  static LaunchKey key(JobId id, Attempt attempt = 1) { return {id, attempt, id * 10 + attempt}; }

  void report(const std::string& node, JobId id, std::vector<Figure> figures, Attempt attempt = 1) {
    board_->take(node, {.from_ms = 1,
                        .until_ms = clock_.now().wall_ms,
                        .jobs = {{key(id, attempt), std::move(figures)}}});
  }
  void turn() {
    clock_.boot_ms += 1000;
    board_->turn({}, jobs_);
  }
  double figure(JobId id, const std::string& name) {
    const auto job = board_->find_job(id);
    if (!job) return kNone;
    for (const pb::Figure& figure : job->figures()) {
      if (figure.name() == name) return figure.value();
    }
    return kNone;
  }

  static constexpr double kNone = -1e9;
  fs::path root_;
  FakeClock clock_;
  JobTable jobs_;
  std::string trouble_;
  std::unique_ptr<TelemetryStore> store_;
  std::unique_ptr<TelemetryBoard> board_;
};

TEST_F(TelemetryBoardTest, SumsUpOverNodes) {
  run_job(1);
  report("n1", 1,
         {{"job.cpu", "cores", 2.5},
          {"job.memory_peak", "MiB", 100},
          {"job.gpu.utilization", "%", 80}});
  report("n2", 1,
         {{"job.cpu", "cores", 1.5},
          {"job.memory_peak", "MiB", 300},
          {"job.gpu.utilization", "%", 40}});
  EXPECT_EQ(figure(1, "job.cpu"), 4);
  EXPECT_EQ(figure(1, "job.memory_peak"), 300);
  EXPECT_EQ(figure(1, "job.gpu.utilization"), 60);
  turn();
  EXPECT_TRUE(board_->find_job(1)->live());
  EXPECT_EQ(board_->find_job(1)->nodes_size(), 2);
}

// What the job itself says cannot be summed up: its batch node's word counts, whoever spoke first.
TEST_F(TelemetryBoardTest, OfWhatAJobReportsItsBatchNodesWordCounts) {
  run_job(1);
  report("n2", 1, {{"app.loss", "", 7}, {"app.files", "", 3}, {"job.cpu", "cores", 1}});
  report("n1", 1, {{"app.loss", "", 2}, {"job.cpu", "cores", 1}});
  turn();
  EXPECT_EQ(figure(1, "app.loss"), 2);
  EXPECT_EQ(figure(1, "app.files"), 3);
  EXPECT_EQ(figure(1, "job.cpu"), 2);
  EXPECT_EQ(board_->find_job(1)->nodes(0).node(), "n1");
  end_job(1);
  turn();
  open();
  EXPECT_EQ(figure(1, "app.loss"), 2);
}

TEST_F(TelemetryBoardTest, AnEndedJobHasOneRowThatOutlivesTheMaster) {
  run_job(1);
  report("n1", 1, {{"job.energy", "J", 5, true}});
  end_job(1);
  turn();
  open();
  EXPECT_EQ(figure(1, "job.energy"), 5);
  EXPECT_FALSE(board_->find_job(1)->live());
  EXPECT_TRUE(board_->find_job(1)->figures(0).modelled());
  // The last words come after the end, and to another master: what was known before stays.
  board_->take(
      "n2",
      {.until_ms = 9,
       .series = {{.key = key(1), .name = "job.cpu", .unit = "cores", .mean = {1}, .most = {2}}}});
  turn();
  open();
  ASSERT_EQ(board_->find_job(1)->nodes_size(), 2);
  EXPECT_EQ(board_->find_job(1)->nodes(1).series(0).most(0), 2);
  EXPECT_EQ(figure(1, "job.energy"), 5);
  EXPECT_FALSE(board_->find_job(1)->live());
}

// To a sampler that takes over, a job begins when it first looks.
TEST_F(TelemetryBoardTest, SumsGoOnWhenASamplerTakesOver) {
  run_job(1);
  report("n1", 1, {{"job.energy", "J", 100, true}, {"job.memory_peak", "MiB", 300}});
  report("n1", 1, {{"job.energy", "J", 110, true}, {"job.memory_peak", "MiB", 300}});
  report("n1", 1, {{"job.cpu", "cores", 1}});  // it has not read its meter twice
  EXPECT_EQ(figure(1, "job.energy"), 110);
  report("n1", 1, {{"job.energy", "J", 5}, {"job.memory_peak", "MiB", 200}});
  EXPECT_EQ(figure(1, "job.energy"), 115);
  EXPECT_EQ(figure(1, "job.memory_peak"), 300);
  report("n1", 1, {{"job.energy", "J", 7}, {"job.memory_peak", "MiB", 400}});
  EXPECT_EQ(figure(1, "job.energy"), 117);
  EXPECT_EQ(figure(1, "job.memory_peak"), 400);
  // And a third one, under another master: the job runs all the time.
  open();
  EXPECT_EQ(figure(1, "job.energy"), 117);
  EXPECT_FALSE(board_->find_job(1)->live());  // nobody reports on it yet
  report("n1", 1, {{"job.energy", "J", 1}});
  EXPECT_EQ(figure(1, "job.energy"), 118);
  turn();
  EXPECT_TRUE(board_->find_job(1)->live());
  // Another attempt begins anew.
  report("n1", 1, {{"job.energy", "J", 2}}, 2);
  EXPECT_EQ(figure(1, "job.energy"), 2);
}

TEST_F(TelemetryBoardTest, CoursesGoOnWhenASamplerTakesOver) {
  constexpr float none = std::numeric_limits<float>::quiet_NaN();
  run_job(1);
  const auto tell = [&](std::int64_t step_ms, std::vector<float> mean) {
    board_->take("n1", {.until_ms = 9,
                        .series = {{.key = key(1),
                                    .name = "job.cpu",
                                    .unit = "cores",
                                    .from_ms = 5,
                                    .step_ms = step_ms,
                                    .mean = mean,
                                    .most = mean}}});
    const auto job = board_->find_job(1);
    const auto& series = job->nodes(0).series(0);
    std::vector<float> told;
    for (int i = 0; i < series.mean_size(); ++i) {
      told.push_back(std::isnan(series.mean(i)) ? -1 : series.mean(i));
    }
    return told;
  };
  tell(1000, {1, 3, 5});
  EXPECT_EQ(tell(1000, {none, none, none, none, 9}), (std::vector<float>{1, 3, 5, -1, 9}));
  EXPECT_EQ(tell(2000, {none, none, 7, 8}), (std::vector<float>{2, 5, 7, 8}));
  EXPECT_EQ(tell(1000, {none, none, none, 6}), (std::vector<float>{2, 2, 5, 6}));
}

TEST_F(TelemetryBoardTest, SilenceIsMoreThanAFewMissedReports) {
  TelemetrySettings settings;
  settings.report_ms = 2000;
  settings.idle_factor = 10;
  const auto tell = [&](bool with_job) {
    TelemetryReport report{.until_ms = clock_.now().wall_ms, .node = {{"cpu.busy", "%", 1}}};
    if (with_job) report.jobs.push_back({key(1), {}});
    board_->take("n1", report);
  };
  const auto after = [&](BootMs ms) {
    clock_.boot_ms += ms;
    return board_->silence_of_node("n1", settings);
  };
  EXPECT_NE(after(0), "") << "it has never been heard of";
  tell(true);
  EXPECT_EQ(after(6000), "");
  EXPECT_EQ(after(13'000), "nothing heard for 0:19");
  EXPECT_NE(board_->silence_of_job(*board_->find_job(1), settings), "");
  // Without jobs it takes its time, and no job that has just begun can change that.
  tell(false);
  EXPECT_EQ(after(19'000), "");
  EXPECT_NE(after(60'000), "");
  EXPECT_EQ(after(-90'000), "");  // clocks differ
  settings.enabled = false;
  tell(true);
  EXPECT_NE(after(1), "");
}

// A job shorter than a report is heard of only when it is over.
TEST_F(TelemetryBoardTest, AJobThatIsOverIsNeverLive) {
  report("n1", 1, {{"job.cpu_time", "s", 0.1}});
  turn();
  EXPECT_FALSE(board_->find_job(1)->live());
  open();
  EXPECT_EQ(figure(1, "job.cpu_time"), 0.1);
}

TEST_F(TelemetryBoardTest, OnlyTheLastAttemptCounts) {
  run_job(1);
  report("n1", 1, {{"job.cpu_time", "s", 100}});
  report("n2", 1, {{"job.cpu_time", "s", 3}}, 2);
  report("n1", 1, {{"job.cpu_time", "s", 101}});  // late
  EXPECT_EQ(figure(1, "job.cpu_time"), 3);
  EXPECT_EQ(board_->find_job(1)->attempt(), 2u);
}

TEST_F(TelemetryBoardTest, MinutesAreKeptAndPruned) {
  const WallMs now = clock_.now().wall_ms;
  const WallMs old = now - 31 * 86'400'000ll;
  for (const WallMs at : {old, now - 120'000, now - 60'000}) {
    board_->take("n1", {.from_ms = at,
                        .until_ms = at + 60'000,
                        .whole_minute = true,
                        .node = {{"cpu.busy", "%", 12.5}, {"power.node", "W", 80, true}}});
  }
  open();
  ASSERT_EQ(board_->find_node("n1", 1)->minutes_size(), 3);
  turn();
  const auto node = board_->find_node("n1", 1);
  ASSERT_EQ(node->minutes_size(), 2);
  EXPECT_EQ(node->minutes(0).at_ms(), now - 120'000);
  EXPECT_EQ(node->minutes(1).figures(0).name(), "cpu.busy");
  EXPECT_EQ(node->minutes(1).figures(0).value(), 12.5);
  EXPECT_TRUE(node->minutes(1).figures(1).modelled());
  EXPECT_FALSE(board_->find_node("n2", 1));
}

TEST_F(TelemetryBoardTest, ADamagedFileIsPutAside) {
  run_job(1);
  report("n1", 1, {{"job.cpu", "cores", 1}});
  end_job(1);
  turn();
  board_.reset();
  store_.reset();
  for (const auto& entry : fs::directory_iterator(root_)) {
    std::ofstream(entry.path(), std::ios::trunc) << std::string(8192, 'x');
  }
  open();
  ASSERT_TRUE(store_);
  EXPECT_NE(trouble_.find("telemetry.db.old"), std::string::npos) << trouble_;
  EXPECT_TRUE(fs::exists(root_ / "telemetry.db.old"));
  EXPECT_FALSE(board_->find_job(1));
  report("n1", 1, {{"job.cpu", "cores", 1}});
  EXPECT_EQ(figure(1, "job.cpu"), 1);
}

TEST_F(TelemetryBoardTest, WithoutAStoreItGoesOn) {
  board_ = std::make_unique<TelemetryBoard>(nullptr, clock_);
  report("n1", 1, {{"job.cpu", "cores", 1}});
  turn();
  EXPECT_EQ(figure(1, "job.cpu"), 1);
  EXPECT_FALSE(board_->state().stores);
}

// A job that ran for long is not kept in memory for ever.
TEST_F(TelemetryBoardTest, ForgetsWhatIsOver) {
  run_job(1);
  report("n1", 1, {{"job.cpu", "cores", 1}});
  end_job(1);
  clock_.boot_ms += 3'600'000;
  turn();
  store_->prune(0, clock_.now().wall_ms + 1);
  EXPECT_FALSE(board_->find_job(1));
}

TEST(MetricName, IsOneForPrometheus) {
  EXPECT_EQ(metric_name("net.eth0.rx_bytes"), "net_eth0_rx_bytes");
  EXPECT_EQ(metric_name("counter.perf::TASK-CLOCK"), "counter_perf_TASK_CLOCK");
}

// ---- the learned policy -------------------------------------------------------------------------

pb::PolicyDecision decision_by(const std::string& model, bool shadow) {
  pb::PolicyDecision decision;
  decision.set_at_ms(1'800'000'000'000);
  decision.set_model(model);
  decision.set_shadow(shadow);
  return decision;
}

TEST_F(TelemetryBoardTest, AnswersOfShadowsAreKeptApart) {
  board_->add_decision(decision_by("used", false));
  board_->add_decision(decision_by("shadow", true));
  board_->add_decision(decision_by("used", false));
  open();
  ASSERT_EQ(board_->decisions(10, false).size(), 2u);
  for (const auto& decision : board_->decisions(10, false)) EXPECT_EQ(decision.model(), "used");
  ASSERT_EQ(board_->decisions(10, true).size(), 3u);
  const std::uint64_t id = board_->decisions(10, true)[1].id();
  ASSERT_TRUE(board_->find_decision(id));
  EXPECT_TRUE(board_->find_decision(id)->shadow());
  EXPECT_FALSE(board_->find_decision(id + 100));
}

TEST_F(TelemetryBoardTest, ModelsAreCountedWhateverIsKept) {
  board_->add_decision(decision_by("a", false));
  board_->add_decision(decision_by("b", true));
  board_->add_comparison("b", true);
  board_->add_decision(decision_by("b", true));
  board_->add_comparison("b", false);
  store_->prune(clock_.now().wall_ms * 2, clock_.now().wall_ms * 2);
  open();
  EXPECT_TRUE(board_->decisions(10, true).empty());
  const auto tallies = board_->tallies();
  EXPECT_EQ(tallies.at("a").decisions, 1u);
  EXPECT_EQ(tallies.at("a").shadow, 0u);
  EXPECT_EQ(tallies.at("b").decisions, 0u);
  EXPECT_EQ(tallies.at("b").shadow, 2u);
  EXPECT_EQ(tallies.at("b").compared, 2u);
  EXPECT_EQ(tallies.at("b").agreed, 1u);
}

// What version 2 kept held.
TEST_F(TelemetryBoardTest, DecisionsOfAnOlderVersionStay) {
  board_->add_decision(decision_by("old", false));
  board_.reset();
  store_.reset();
  {
    Database database = Database::open(root_ / "telemetry.db", 1000);
    database.run(
        "ALTER TABLE decision DROP COLUMN shadow; DROP TABLE model_tally; PRAGMA user_version = 2");
  }
  open();
  EXPECT_EQ(trouble_, "");
  ASSERT_EQ(board_->decisions(10, false).size(), 1u);
  board_->add_decision(decision_by("new", true));
  EXPECT_EQ(board_->decisions(10, false)[0].model(), "old");
  EXPECT_EQ(board_->tallies().at("new").shadow, 1u);
}

}  // namespace
}  // namespace hyades
