// A node's sampler over sources that the test plays.
#include "worker/sampler.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "worker/live_page.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

namespace fs = std::filesystem;

class PlayedCollector final : public Collector {
 public:
  PlayedCollector(std::string name, Metric metric, const double& value)
      : name_(std::move(name)), metrics_{std::move(metric)}, value_(value) {}
  std::string_view name() const override { return name_; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override { values.assign(1, value_); }
  const std::string& trouble() const override { return trouble_; }

 private:
  std::string name_;
  std::vector<Metric> metrics_;
  const double& value_;
  std::string trouble_;
};

// One job that holds one of two cores of a node that does nothing.
class SamplerTest : public testing::Test {
 protected:
  SamplerTest() {
    char name[] = "/tmp/hyades-sampler-XXXXXX";
    root_ = mkdtemp(name);
    fs::create_directories(job_file_directory(root_));
    fs::permissions(job_file_directory(root_), fs::perms::owner_all);
    page_.write(root_, getuid(),
                {.key = key_, .shepherd_pid = getpid(), .cores = 1, .started_ms = 1000});
  }
  ~SamplerTest() override { fs::remove_all(root_); }

  std::unique_ptr<Sampler> sampler(const TelemetrySettings& settings) {
    FoundCollectors found;
    found.collectors.push_back(
        std::make_unique<PlayedCollector>("energy",
                                          Metric{.name = "energy.node",
                                                 .unit = "J",
                                                 .of = MetricClass::Power,
                                                 .behavior = Behavior::Counter},
                                          joules_));
    found.collectors.push_back(std::make_unique<PlayedCollector>(
        "cpu", Metric{.name = "cpu.busy", .unit = "%", .of = MetricClass::Compute}, busy_));
    return std::make_unique<Sampler>(
        SamplerNode{.spool_directory = root_, .cores = 2, .idle_watts = 10}, std::move(found),
        settings, now_);
  }
  // Time goes on; the node draws 10 W.
  void run_for(Sampler& sampler, BootMs ms) {
    const BootMs end_ms = now_.boot_ms + ms;
    while (now_.boot_ms < end_ms) {
      const BootMs step_ms = std::max<BootMs>(1, sampler.next_turn_ms() - now_.boot_ms);
      now_.boot_ms += step_ms;
      now_.wall_ms += step_ms;
      joules_ = 10 * static_cast<double>(now_.boot_ms) / 1e3;
      sampler.turn(now_, reports_);
    }
  }
  double last(const std::string& name) const {
    double value = -1;
    for (const TelemetryReport& report : reports_) {
      for (const JobFigures& job : report.jobs) {
        for (const Figure& figure : job.figures) {
          if (figure.name == name) value = figure.value;
        }
      }
    }
    return value;
  }

  static constexpr LaunchKey key_ = {7, 1, 70};
  fs::path root_;
  LivePageWriter page_;
  Now now_ = {1'800'000'000'000, 5'000'000};
  double joules_ = 0;
  double busy_ = 0;
  std::vector<TelemetryReport> reports_;
};

// However seldom the meter is read: half of the cores are half of what keeps the node powered.
TEST_F(SamplerTest, EnergyIsTheSameHoweverOftenItIsRead) {
  for (const int power_ms : {500, 1000, 5000, 7000}) {
    TelemetrySettings settings;
    settings.period_ms[3] = power_ms;
    settings.budget_ppm = 1'000'000;
    reports_.clear();
    const auto node = sampler(settings);
    run_for(*node, 141'000);
    EXPECT_NEAR(last("job.energy"), 700, 45) << power_ms;
    EXPECT_NEAR(last("job.power"), 5, 0.8) << power_ms;
  }
}

TEST_F(SamplerTest, TellsWhatItCostsAndHowOftenItLooks) {
  TelemetrySettings settings;
  settings.period_ms = {100, 200, 500, 1000, 500};
  const auto node = sampler(settings);
  run_for(*node, 30'000);
  const ComponentState* own = nullptr;
  for (const TelemetryReport& report : reports_) {
    for (const ComponentState& component : report.components) {
      if (component.name == "sampling") own = &component;
      if (component.name == "energy") {
        EXPECT_EQ(component.period_ms % 1000, 0);
      }
    }
  }
  ASSERT_NE(own, nullptr);
  double period_ms = 0;
  for (const Figure& figure : own->figures) {
    if (figure.name == "period.compute") period_ms = figure.value;
    EXPECT_NE(figure.name, "period.network") << "nothing of that class is there";
  }
  EXPECT_GE(period_ms, 100);
}

}  // namespace
}  // namespace hyades
