// What the node takes, from meters that say what they are told, and from the model.
#include "telemetry/energy_meter.hpp"

#include <gtest/gtest.h>

#include "fixture_tree.hpp"

namespace hyades {
namespace {

class FakeMeter : public Collector {
 public:
  void add(const std::string& name, const std::string& unit, double wraps_at = 0) {
    Metric metric;
    metric.name = name;
    metric.unit = unit;
    metric.wraps_at = wraps_at;
    metrics_.push_back(metric);
    says.push_back(0);
  }
  std::string_view name() const override { return "fake"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override {
    ++samples;
    values = says;
  }
  const std::string& trouble() const override { return trouble_; }

  std::vector<double> says;
  int samples = 0;

 private:
  std::vector<Metric> metrics_;
  std::string trouble_;
};

class EnergyMeterTest : public testing::Test {
 protected:
  FakeMeter* add_rapl(bool with_platform) {
    auto meter = std::make_unique<FakeMeter>();
    meter->add("power.package0", "J", 1000);
    meter->add("power.dram0", "J", 1000);
    if (with_platform) meter->add("power.psys", "J", 1000);
    FakeMeter* const raw = meter.get();
    sources_.rapl = std::move(meter);
    return raw;
  }
  FakeMeter* add_board() {
    auto meter = std::make_unique<FakeMeter>();
    meter->add("power.power_meter.power1", "W");
    FakeMeter* const raw = meter.get();
    sources_.board = std::move(meter);
    return raw;
  }
  // One with a counter, one that only tells its power.
  FakeMeter* add_gpus() {
    auto meter = std::make_unique<FakeMeter>();
    meter->add("gpu0.power", "W");
    meter->add("gpu0.energy", "J");
    meter->add("gpu0.temperature", "degC");
    meter->add("gpu1.power", "W");
    FakeMeter* const raw = meter.get();
    sources_.gpus = std::move(meter);
    return raw;
  }
  void add_model() {
    set_ticks(0, 0);
    sources_.cpu = std::make_unique<CpuTimes>(tree_.root());
    sources_.model = {100, 300};
  }
  void set_ticks(int busy, int idle) {
    tree_.write("/proc/stat",
                "cpu  " + std::to_string(busy) + " 0 0 " + std::to_string(idle) + " 0 0 0 0 0 0\n");
  }
  EnergyMeter make() {
    return EnergyMeter(std::move(sources_), [this] { return now_s_; });
  }

  FixtureTree tree_;
  EnergyMeter::Sources sources_;
  double now_s_ = 1000;
};

TEST_F(EnergyMeterTest, PackagesAndMemoryAreSummedUp) {
  FakeMeter* const rapl = add_rapl(false);
  FakeMeter* const board = add_board();
  (void)board;
  add_model();
  EnergyMeter meter = make();
  EXPECT_NE(meter.describe().find("RAPL"), std::string::npos);
  EXPECT_FALSE(metric_named(meter, "energy.node").modelled);
  EXPECT_EQ(metric_named(meter, "energy.node").behavior, Behavior::Counter);
  rapl->says = {500, 50};
  const Sample first(meter);
  EXPECT_EQ(first["energy.node"], 0);
  EXPECT_TRUE(first.none("power.node"));
  rapl->says = {510, 52};
  now_s_ += 2;
  const Sample second(meter);
  EXPECT_DOUBLE_EQ(second["energy.node"], 12);
  EXPECT_DOUBLE_EQ(second["power.node"], 6);
}

TEST_F(EnergyMeterTest, CountersThatWrap) {
  FakeMeter* const rapl = add_rapl(false);
  EnergyMeter meter = make();
  rapl->says = {990, 999};
  Sample{meter};
  rapl->says = {20, 1};
  now_s_ += 1;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 32);
  EXPECT_EQ(meter.trouble(), "");
  // Backwards by so little that it cannot have gone all the way round.
  rapl->says = {19, 2};
  now_s_ += 1;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 33);
  EXPECT_NE(meter.trouble().find("power.package0: its counter began anew"), std::string::npos);
  rapl->says = {21, 2};
  now_s_ += 1;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 35);
}

TEST_F(EnergyMeterTest, WhatACounterCountedWhileItWasSilentIsNotLost) {
  FakeMeter* const rapl = add_rapl(false);
  EnergyMeter meter = make();
  Sample{meter};
  rapl->says = {10, kNoReading};
  now_s_ += 1;
  const Sample silent(meter);
  EXPECT_TRUE(silent.none("energy.node"));
  EXPECT_TRUE(silent.none("power.node"));
  rapl->says = {15, 5};
  now_s_ += 1;
  const Sample again(meter);
  EXPECT_DOUBLE_EQ(again["energy.node"], 20);
  EXPECT_DOUBLE_EQ(again["power.node"], 10);
}

TEST_F(EnergyMeterTest, ThePlatformHasPackagesAndGpusInIt) {
  FakeMeter* const rapl = add_rapl(true);
  FakeMeter* const gpus = add_gpus();
  EnergyMeter meter = make();
  EXPECT_NE(meter.describe().find("psys"), std::string::npos);
  Sample{meter};
  rapl->says = {10, 2, 40};
  gpus->says = {20, 15, 50, 0};
  now_s_ += 1;
  const Sample sample(meter);
  EXPECT_DOUBLE_EQ(sample["energy.node"], 40);
  EXPECT_DOUBLE_EQ(sample["energy.gpus"], 15);
}

TEST_F(EnergyMeterTest, APlatformCounterThatStandsStill) {
  FakeMeter* const rapl = add_rapl(true);
  EnergyMeter meter = make();
  Sample{meter};
  rapl->says = {3, 1, 0};
  now_s_ += 1;
  EXPECT_EQ(Sample(meter)["energy.node"], 0);
  rapl->says = {5, 2, 0};
  now_s_ += 1;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 7) << "all that the packages took meanwhile";
  EXPECT_NE(meter.trouble().find("stands still"), std::string::npos);
  EXPECT_EQ(meter.describe().find("psys"), std::string::npos);
  rapl->says = {6, 2, 0};
  now_s_ += 1;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 8);
  EXPECT_EQ(meter.trouble(), "");
}

TEST_F(EnergyMeterTest, GpusAreAddedToThePackages) {
  FakeMeter* const rapl = add_rapl(false);
  FakeMeter* const gpus = add_gpus();
  EnergyMeter meter = make();
  EXPECT_NE(meter.describe().find("2 GPUs"), std::string::npos) << meter.describe();
  gpus->says = {999, 1000, 50, 100};
  Sample{meter};
  rapl->says = {10, 0};
  gpus->says = {999, 1020, 50, 200};
  now_s_ += 2;
  const Sample sample(meter);
  EXPECT_DOUBLE_EQ(sample["energy.gpus"], 20 + 300);
  EXPECT_DOUBLE_EQ(sample["energy.node"], 10 + 20 + 300);
  EXPECT_DOUBLE_EQ(sample["power.node"], 165);
  // One of them is lost; the node's energy goes on without it.
  rapl->says = {20, 0};
  gpus->says = {kNoReading, kNoReading, kNoReading, 200};
  now_s_ += 1;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 330 + 10 + 200);
}

TEST_F(EnergyMeterTest, TheBoardsPowerIsIntegrated) {
  FakeMeter* const board = add_board();
  FakeMeter* const gpus = add_gpus();
  add_model();
  EnergyMeter meter = make();
  EXPECT_NE(meter.describe().find("board"), std::string::npos);
  board->says = {100};
  Sample{meter};
  board->says = {200};
  gpus->says = {0, 500, 0, 0};
  now_s_ += 2;
  const Sample sample(meter);
  EXPECT_DOUBLE_EQ(sample["energy.node"], 300) << "the GPUs are in it already";
  EXPECT_DOUBLE_EQ(sample["power.node"], 150);
  EXPECT_DOUBLE_EQ(sample["energy.gpus"], 500);
  now_s_ += 3600;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 300) << "an hour is not guessed";
  EXPECT_NE(meter.trouble(), "");
  now_s_ += 1;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 500);
}

TEST_F(EnergyMeterTest, TheModelIsMarkedAsSuch) {
  add_model();
  FakeMeter* const gpus = add_gpus();
  EnergyMeter meter = make();
  EXPECT_NE(meter.describe().find("modelled"), std::string::npos);
  EXPECT_TRUE(metric_named(meter, "energy.node").modelled);
  EXPECT_TRUE(metric_named(meter, "power.node").modelled);
  EXPECT_FALSE(metric_named(meter, "energy.gpus").modelled);
  EXPECT_EQ(Sample(meter)["energy.node"], 0);
  set_ticks(50, 150);
  gpus->says = {0, 7, 0, 0};
  now_s_ += 2;
  const Sample sample(meter);
  EXPECT_DOUBLE_EQ(sample["power.node"], 150 + 3.5);
  EXPECT_DOUBLE_EQ(sample["energy.node"], 300 + 7);
  // No tick since: nothing is known, and nothing is lost.
  now_s_ += 0.001;
  EXPECT_TRUE(Sample(meter).none("energy.node"));
  set_ticks(150, 150);
  now_s_ += 0.999;
  EXPECT_DOUBLE_EQ(Sample(meter)["energy.node"], 307 + 300);
  tree_.remove("/proc");
  now_s_ += 1;
  EXPECT_TRUE(Sample(meter).none("energy.node"));
  EXPECT_NE(meter.trouble().find("/proc/stat"), std::string::npos);
}

TEST_F(EnergyMeterTest, WhereNobodyKnows) {
  EnergyMeter nothing = make();
  EXPECT_TRUE(nothing.metrics().empty());
  EXPECT_NE(nothing.trouble(), "");
  Sample{nothing};
  add_gpus();
  EnergyMeter gpus = make();
  ASSERT_EQ(gpus.metrics().size(), 1u);
  EXPECT_EQ(Sample(gpus)["energy.gpus"], 0);
  add_model();
  sources_.model = {};
  EXPECT_TRUE(make().metrics().empty());
}

TEST_F(EnergyMeterTest, SourcesThatAreNotChosenAreNotAsked) {
  FakeMeter* const rapl = add_rapl(false);
  add_board();
  EnergyMeter meter = make();
  Sample{meter};
  EXPECT_EQ(rapl->samples, 1);
}

TEST(PowerModel, AStraightLineWithinItsEnds) {
  const PowerModel model{100, 300};
  EXPECT_TRUE(model.is_stated());
  EXPECT_DOUBLE_EQ(model.watts(0), 100);
  EXPECT_DOUBLE_EQ(model.watts(50), 200);
  EXPECT_DOUBLE_EQ(model.watts(100), 300);
  EXPECT_DOUBLE_EQ(model.watts(-5), 100);
  EXPECT_DOUBLE_EQ(model.watts(105), 300);
  EXPECT_FALSE(PowerModel().is_stated());
  EXPECT_FALSE((PowerModel{300, 100}.is_stated()));
}

}  // namespace
}  // namespace hyades
