// The GPUs of jobs that run, from the driver's lists to what is told of them, and their energy.
#include "worker/job_gpus.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "fake_collector.hpp"
#include "node_box.hpp"
#include "worker/sampler.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

using Lists = GpuProcessBoard::Lists;

const std::vector<GpuProcess> kNone;

double value_of(const std::vector<Figure>& figures, const std::string& name) {
  for (const Figure& figure : figures) {
    if (figure.name == name) return figure.value;
  }
  return kNoReading;
}

double value_of(const JobGpuMeter& meter, const std::string& name) {
  std::vector<Figure> figures;
  meter.add_figures(figures);
  return value_of(figures, name);
}

TEST(JobGpuMeter, NothingIsToldWhereNothingWasSeen) {
  JobGpuMeter meter;
  std::vector<Figure> figures;
  meter.look(std::nullopt, 1000);
  meter.add_figures(figures);
  EXPECT_TRUE(figures.empty());
  EXPECT_TRUE(std::isnan(meter.percent()));
}

TEST(JobGpuMeter, AJobOnNoDeviceKeepsNoneBusy) {
  JobGpuMeter meter;
  meter.look(GpuJobUse{.busy = 0}, 1000);
  meter.look(GpuJobUse{.busy = 0}, 2000);
  EXPECT_EQ(value_of(meter, "job.gpu.busy"), 0);
  EXPECT_EQ(value_of(meter, "job.gpu.busy_mean"), 0);
  EXPECT_TRUE(std::isnan(value_of(meter, "job.gpu.utilization")));
  EXPECT_TRUE(std::isnan(value_of(meter, "job.gpu.memory")));
  EXPECT_TRUE(std::isnan(value_of(meter, "job.gpu.memory_peak")));
}

TEST(JobGpuMeter, MeansArePeaksAreKept) {
  JobGpuMeter meter;
  const auto use = [](double percent, double mib) {
    return GpuJobUse{
        .devices = 1, .percent = percent, .busy = percent / 100, .memory_mib = mib, .joules = 10};
  };
  meter.look(use(100, 1000), 1000);
  EXPECT_TRUE(std::isnan(value_of(meter, "job.gpu.busy_mean")));  // since when, nobody knows
  meter.look(use(80, 3000), 2000);
  meter.look(use(20, 2000), 5000);
  EXPECT_EQ(value_of(meter, "job.gpu.utilization"), 20);
  EXPECT_DOUBLE_EQ(value_of(meter, "job.gpu.busy_mean"), (0.8 * 1 + 0.2 * 3) / 4);
  EXPECT_EQ(value_of(meter, "job.gpu.memory"), 2000);
  EXPECT_EQ(value_of(meter, "job.gpu.memory_peak"), 3000);
  // The driver says nothing for a while: of now nothing is known, and of that while neither.
  meter.look(std::nullopt, 6000);
  EXPECT_TRUE(std::isnan(value_of(meter, "job.gpu.utilization")));
  EXPECT_TRUE(std::isnan(value_of(meter, "job.gpu.memory")));
  EXPECT_EQ(value_of(meter, "job.gpu.memory_peak"), 3000);
  meter.look(use(100, kNoReading), 16'000);
  EXPECT_DOUBLE_EQ(value_of(meter, "job.gpu.busy_mean"), (0.8 * 1 + 0.2 * 3) / 4);
  EXPECT_TRUE(std::isnan(value_of(meter, "job.gpu.memory")));
  EXPECT_EQ(value_of(meter, "job.gpu.memory_peak"), 3000);
  meter.look(GpuJobUse{.busy = 0}, 17'000);
  EXPECT_EQ(value_of(meter, "job.gpu.memory"), 0);  // it has left the devices
  EXPECT_EQ(meter.take_joules(), 40);
  EXPECT_EQ(meter.take_joules(), 0);
}

// ---- a node with two devices and two jobs ------------------------------------------------------

// A job: this process stands for its shepherd's parent, and a child of it for the shepherd, below
// which one process is.
class FakeJob {
 public:
  FakeJob(const std::string& spool, JobId job) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    shepherd_ = fork();
    if (shepherd_ == 0) {
      const pid_t child = fork();
      if (child != 0 && write(ends[1], &child, sizeof child) < 0) _exit(1);
      while (true) pause();
    }
    EXPECT_EQ(read(ends[0], &process_, sizeof process_), static_cast<ssize_t>(sizeof process_));
    close(ends[0]);
    close(ends[1]);
    LivePage page;
    page.key = {job, 1, 10 * job};
    page.shepherd_pid = shepherd_;
    page.cores = 1;
    page.started_ms = 1000;
    writer_.write(spool, geteuid(), page);
  }
  FakeJob(const FakeJob&) = delete;
  FakeJob& operator=(const FakeJob&) = delete;
  ~FakeJob() {
    kill(process_, SIGKILL);
    kill(shepherd_, SIGKILL);
    waitpid(shepherd_, nullptr, 0);
  }
  pid_t process() const { return process_; }

 private:
  pid_t shepherd_ = 0;
  pid_t process_ = 0;
  LivePageWriter writer_;
};

Metric metric(const std::string& name, const std::string& unit, MetricClass of) {
  const Behavior behavior = unit == "J" ? Behavior::Counter : Behavior::Gauge;
  return {.name = name, .unit = unit, .of = of, .behavior = behavior, .resolution = 0.01};
}

class JobGpusTest : public testing::Test {
 protected:
  JobGpusTest() {
    const fs::path jobs = job_file_directory(spool_.path());
    fs::create_directories(jobs);
    fs::permissions(jobs, fs::perms::owner_all);
    first_ = std::make_unique<FakeJob>(spool_.path(), 1);
    second_ = std::make_unique<FakeJob>(spool_.path(), 2);
    auto node = std::make_unique<FakeCollector>(
        "node", std::vector<Metric>{metric("cpu.busy", "%", MetricClass::Compute),
                                    metric("gpu0.utilization", "%", MetricClass::Compute),
                                    metric("gpu1.utilization", "%", MetricClass::Compute)});
    auto power = std::make_unique<FakeCollector>(
        "energy", std::vector<Metric>{metric("energy.node", "J", MetricClass::Power),
                                      metric("gpu0.energy", "J", MetricClass::Power),
                                      metric("gpu1.power", "W", MetricClass::Power)});
    node->values = {0, 60, 30};
    power->values = {0, 0, 50};
    power_ = power.get();
    FoundCollectors found;
    found.collectors.push_back(std::move(node));
    found.collectors.push_back(std::move(power));
    found.gpu_processes = board_;
    settings_.report_ms = 1000;
    settings_.budget_ppm = 1'000'000;
    sampler_ = std::make_unique<Sampler>(SamplerNode{spool_.path(), 4, 100}, std::move(found),
                                         settings_, at(0));
  }

  static Now at(BootMs ms) { return {6'000'000 + ms, 10'000 + ms}; }

  // Until then, second by second; `lists`: what the driver says, nothing while it hangs. The node
  // takes 400 J in each, its first GPU 200 of them, and the other one 50 W.
  void run_until(BootMs end_ms, const std::optional<Lists>& lists) {
    for (; now_ms_ <= end_ms; now_ms_ += 1000) {
      if (lists) board_->write(*lists, at(now_ms_).boot_ms);
      std::vector<TelemetryReport> reports;
      sampler_->turn(at(now_ms_), reports);
      for (TelemetryReport& report : reports) {
        if (!report.jobs.empty()) jobs_ = std::move(report.jobs);
      }
      power_->values[0] += 400;
      power_->values[1] += 200;
    }
  }

  double figure(JobId job, const std::string& name) const {
    for (const JobFigures& figures : jobs_) {
      if (figures.key.job == job) return value_of(figures.figures, name);
    }
    ADD_FAILURE() << "nothing of job " << job;
    return kNoReading;
  }

  TemporaryDirectory spool_;
  TelemetrySettings settings_;
  std::shared_ptr<GpuProcessBoard> board_ = std::make_shared<GpuProcessBoard>(2);
  std::unique_ptr<FakeJob> first_;
  std::unique_ptr<FakeJob> second_;
  FakeCollector* power_ = nullptr;
  std::unique_ptr<Sampler> sampler_;
  std::vector<JobFigures> jobs_;
  BootMs now_ms_ = 0;
};

TEST_F(JobGpusTest, JobsAreToldTheirsWithTheEnergy) {
  run_until(10'000, Lists{{{{first_->process(), 1024}}}, kNone});
  EXPECT_NEAR(figure(1, "job.gpu.utilization"), 60, 0.01);
  EXPECT_NEAR(figure(1, "job.gpu.busy_mean"), 0.6, 1e-3);
  EXPECT_EQ(figure(1, "job.gpu.memory"), 1024);
  EXPECT_EQ(figure(1, "job.gpu.memory_peak"), 1024);
  EXPECT_TRUE(std::isnan(figure(2, "job.gpu.utilization")));
  EXPECT_EQ(figure(2, "job.gpu.busy"), 0);
  // Of 400 J a second 250 are the GPUs', 100 are for four idle cores of which each holds one, and
  // nobody computes.
  const double seconds = figure(2, "job.energy") / 25;
  EXPECT_NEAR(seconds, 9, 1.01);
  EXPECT_NEAR(figure(1, "job.energy"), seconds * (200 + 25), 0.1);
  EXPECT_NEAR(figure(1, "job.power"), 225, 0.1);
}

TEST_F(JobGpusTest, ADeviceOfBothIsSharedByMemory) {
  const Lists lists = {kNone, {{{first_->process(), 3000}, {second_->process(), 1000}}}};
  run_until(10'000, lists);
  EXPECT_NEAR(figure(1, "job.gpu.utilization"), 30, 0.01);
  EXPECT_NEAR(figure(2, "job.gpu.utilization"), 30, 0.01);
  EXPECT_NEAR(figure(1, "job.gpu.busy"), 0.225, 1e-3);
  EXPECT_NEAR(figure(2, "job.gpu.busy"), 0.075, 1e-3);
  EXPECT_NEAR(figure(1, "job.power"), 25 + 37.5, 0.1);
  EXPECT_NEAR(figure(2, "job.power"), 25 + 12.5, 0.1);
}

// The GPUs' energy is theirs all the same, and nobody's: no job pays for it by its cores.
TEST_F(JobGpusTest, WhereTheDriverNeverTellsWhoIsThere) {
  run_until(5000, std::nullopt);
  for (const JobId job : {1, 2}) {
    EXPECT_NEAR(figure(job, "job.power"), 25, 0.1);
    EXPECT_TRUE(std::isnan(figure(job, "job.gpu.busy")));
  }
}

TEST_F(JobGpusTest, AnswersThatAreTooOldAreNone) {
  run_until(3000, Lists{{{{first_->process(), 1024}}}, kNone});
  EXPECT_EQ(figure(1, "job.gpu.memory"), 1024);
  // The driver hangs.
  run_until(20'000, std::nullopt);
  EXPECT_TRUE(std::isnan(figure(1, "job.gpu.memory")));
  EXPECT_TRUE(std::isnan(figure(1, "job.gpu.utilization")));
  EXPECT_TRUE(std::isnan(figure(1, "job.gpu.busy")));
  EXPECT_EQ(figure(1, "job.gpu.memory_peak"), 1024);
}

TEST_F(JobGpusTest, TheEndKeepsThePeakAndTheMean) {
  run_until(5000, Lists{{{{first_->process(), 1024}}}, kNone});
  fs::remove(live_page_path(script_path(spool_.path(), {1, 1, 10})));
  bool told = false;
  for (; now_ms_ <= 8000; now_ms_ += 1000) {
    std::vector<TelemetryReport> reports;
    sampler_->turn(at(now_ms_), reports);
    for (const TelemetryReport& report : reports) {
      if (report.jobs.size() != 1 || report.jobs[0].key.job != 1 || report.series.empty()) continue;
      told = true;
      EXPECT_NEAR(value_of(report.jobs[0].figures, "job.gpu.busy_mean"), 0.6, 1e-3);
      EXPECT_EQ(value_of(report.jobs[0].figures, "job.gpu.memory_peak"), 1024);
      const auto is_gpu = [](const JobSeries& series) {
        return series.name == "job.gpu.utilization";
      };
      EXPECT_EQ(std::count_if(report.series.begin(), report.series.end(), is_gpu), 1);
    }
  }
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace hyades
