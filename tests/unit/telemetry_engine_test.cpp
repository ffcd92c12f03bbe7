// A node's measurements put together, from collectors that answer, lie and vanish.
#include "telemetry/telemetry_engine.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fake_collector.hpp"

namespace hyades {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Both clocks at once; the wall clock is at a whole minute at 0.
Now at(std::int64_t ms) { return {6'000'000 + ms, 1'000 + ms}; }

TEST(TelemetryEngine, KeepsWhatItsCollectorsRead) {
  Node node;
  FakeCollector* const cpu = node.add("cpu", {gauge("cpu.busy"), gauge("cpu.wait")});
  auto engine = node.engine();
  EXPECT_EQ(engine->latest(at(0)).at("cpu.busy").age_ms, -1);
  EXPECT_TRUE(std::isnan(engine->latest(at(0)).at("cpu.busy").value));
  for (int i = 1; i <= 3; ++i) {
    cpu->values = {10.0 * i, kNoReading};
    engine->run_class(MetricClass::Compute, at(100 * i));
  }
  const auto latest = engine->latest(at(350));
  EXPECT_EQ(latest.at("cpu.busy").value, 30);
  EXPECT_EQ(latest.at("cpu.busy").average, 20);
  EXPECT_EQ(latest.at("cpu.busy").unit, "%");
  EXPECT_EQ(latest.at("cpu.busy").age_ms, 50);
  EXPECT_TRUE(std::isnan(latest.at("cpu.busy").rate));
  EXPECT_TRUE(std::isnan(latest.at("cpu.wait").value));
  const auto history = engine->history("cpu.busy", at(200).wall_ms);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->readings.size(), 2u);
  EXPECT_EQ(history->readings[0].value, 20);
  EXPECT_FALSE(engine->history("cpu.idle", 0));
  EXPECT_EQ(engine->latest("cpu.busy", at(350))->average, 20);
  EXPECT_FALSE(engine->latest("cpu.idle", at(350)));
}

TEST(TelemetryEngine, CountersGiveRates) {
  Node node;
  FakeCollector* const net = node.add("net", {counter("net.rx")});
  auto engine = node.engine();
  net->values = {1000};
  engine->run_class(MetricClass::Network, at(0));
  EXPECT_TRUE(std::isnan(engine->latest(at(0)).at("net.rx").rate));
  net->values = {1500};
  engine->run_class(MetricClass::Network, at(500));
  EXPECT_EQ(engine->latest(at(500)).at("net.rx").rate, 1000);
  net->values = {20};  // the interface came anew
  engine->run_class(MetricClass::Network, at(1000));
  EXPECT_TRUE(std::isnan(engine->latest(at(1000)).at("net.rx").rate));
  EXPECT_EQ(engine->latest(at(1000)).at("net.rx").value, 20);
  net->values = {70};
  engine->run_class(MetricClass::Network, at(1500));
  const std::vector<MinuteRow> rows = engine->take_minutes(at(60'000));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(engine->metrics()[rows[0].metric].name, "net.rx");
  EXPECT_EQ(rows[0].summary.sum, 550);
  EXPECT_EQ(rows[0].summary.mean, 550);
  EXPECT_EQ(rows[0].summary.readings, 2);
  EXPECT_EQ(rows[0].summary.gaps, 1);
  EXPECT_EQ(engine->history("net.rx", 0)->readings.size(), 4u);
}

// The wall clock may be set; rates go by the other one.
TEST(TelemetryEngine, SettingTheClockMakesNoRate) {
  Node node;
  FakeCollector* const net = node.add("net", {counter("net.rx")});
  auto engine = node.engine();
  engine->run_class(MetricClass::Network, {6'000'000, 1000});
  net->values = {100};
  engine->run_class(MetricClass::Network, {1'000'000, 2000});
  EXPECT_EQ(engine->latest({1'000'000, 2000}).at("net.rx").rate, 100);
}

TEST(TelemetryEngine, ASharedSourceIsLookedAtOnceAndKeptByClass) {
  Node node;
  FakeCollector* const gpu =
      node.add("gpu", {gauge("gpu.busy"), gauge("gpu.watts", MetricClass::Power)});
  FakeCollector* const net = node.add("net", {counter("net.rx")});
  gpu->values = {50, 200};
  auto engine = node.engine();
  engine->run({MetricClass::Compute, MetricClass::Power}, at(0));
  EXPECT_EQ(gpu->samples, 1);
  EXPECT_EQ(net->samples, 0);
  engine->run_class(MetricClass::Compute, at(100));
  EXPECT_EQ(engine->history("gpu.busy", 0)->readings.size(), 2u);
  EXPECT_EQ(engine->history("gpu.watts", 0)->readings.size(), 1u);
  EXPECT_EQ(engine->latest(at(100)).at("gpu.watts").age_ms, 100);
  EXPECT_TRUE(engine->has(MetricClass::Power));
  EXPECT_FALSE(engine->has(MetricClass::Application));
}

TEST(TelemetryEngine, TellsWhatItsCollectorsCostAndWhatWasWrong) {
  Node node;
  FakeCollector* const gpu =
      node.add("gpu", {gauge("gpu.busy"), gauge("gpu.watts", MetricClass::Power)});
  FakeCollector* const cpu = node.add("cpu", {gauge("cpu.busy")});
  std::int64_t cpu_us = 0;
  auto engine = node.engine({.cpu_us = [&] { return cpu_us += 10; }});
  gpu->elsewhere_us = 90;
  gpu->wrong = "it fell off the bus";
  const auto costs = engine->run({MetricClass::Compute, MetricClass::Power}, at(0));
  EXPECT_EQ(costs[static_cast<std::size_t>(MetricClass::Power)], 50);
  EXPECT_EQ(costs[static_cast<std::size_t>(MetricClass::Compute)], 60);
  gpu->wrong = "";
  EXPECT_EQ(engine->run_class(MetricClass::Power, at(1)), 10);
  const CollectorState& state = engine->state()[0];
  EXPECT_EQ(state.name, "gpu");
  EXPECT_EQ(state.metrics, 2u);
  EXPECT_EQ(state.samples, 2u);
  EXPECT_EQ(state.troubles, 1u);
  EXPECT_EQ(state.trouble, "");
  EXPECT_EQ(state.last_trouble, "it fell off the bus");
  EXPECT_EQ(state.last_trouble_ms, at(0).wall_ms);
  EXPECT_EQ(state.cpu_us, 110);
  EXPECT_EQ(engine->state()[1].cpu_us, 10);
  EXPECT_EQ(cpu->samples, 1);
}

TEST(TelemetryEngine, LiesAndSilenceAreGaps) {
  Node node;
  FakeCollector* const odd = node.add(
      "odd", {gauge("inf"), gauge("huge"), gauge("none"), gauge("short"), counter("below")});
  auto engine = node.engine();
  odd->values = {kInfinite, 1e300, kNoReading};
  for (int i = 0; i < 2; ++i) {
    engine->run({MetricClass::Compute, MetricClass::Network}, at(100 * i));
    odd->values = {kInfinite, 1e300, kNoReading, 7, -5, 3, 4};
  }
  const auto latest = engine->latest(at(100));
  for (const char* name : {"inf", "huge", "none"}) {
    EXPECT_TRUE(std::isnan(latest.at(name).value)) << name;
    EXPECT_TRUE(std::isnan(engine->history(name, 0)->readings.back().value)) << name;
  }
  EXPECT_EQ(latest.at("short").value, 7);
  EXPECT_EQ(engine->readings_refused(), 4u);
  const std::vector<MinuteRow> rows = engine->take_minutes(at(60'000));
  ASSERT_EQ(rows.size(), 5u);
  for (const MinuteRow& row : rows) {
    const bool is_short = engine->metrics()[row.metric].name == "short";
    EXPECT_EQ(row.summary.gaps, is_short ? 1 : 2) << engine->metrics()[row.metric].name;
    EXPECT_EQ(row.summary.readings, is_short ? 1 : 0);
  }
}

TEST(TelemetryEngine, TwoSourcesOfOneNameAreNotMixed) {
  Node node;
  FakeCollector* const first = node.add("a", {gauge("temp")});
  FakeCollector* const second = node.add("b", {gauge("temp"), gauge("fan")});
  first->values = {1};
  second->values = {2, 3};
  auto engine = node.engine();
  engine->run_class(MetricClass::Compute, at(0));
  EXPECT_EQ(engine->latest(at(0)).at("temp").value, 1);
  EXPECT_EQ(engine->latest(at(0)).at("fan").value, 3);
  EXPECT_EQ(engine->history("temp", 0)->readings.size(), 1u);
  EXPECT_EQ(engine->metrics().size(), 2u);
  EXPECT_NE(engine->state()[1].last_trouble.find("temp"), std::string::npos);
}

TEST(TelemetryEngine, ItsMemoryIsBounded) {
  Node node;
  std::vector<Metric> metrics;
  for (int i = 0; i < 20; ++i) metrics.push_back(gauge("m" + std::to_string(i)));
  FakeCollector* const cpu = node.add("cpu", metrics);
  auto engine = node.engine({.ring_bytes = 64 * 1024, .minutes_kept = 2});
  for (int i = 0; i < 5000; ++i) {
    for (double& value : cpu->values) value = i % 1000 * 7.7;
    engine->run_class(MetricClass::Compute, at(100 * i));
    ASSERT_LE(engine->ring_bytes(), 64u * 1024);
  }
  EXPECT_EQ(engine->take_minutes(at(500'000)).size(), 40u);
  EXPECT_GT(engine->minutes_dropped(), 0u);
}

TEST(TelemetryEngine, ANodeWithoutSourcesIsNoTrouble) {
  Node node;
  node.add("nothing", {});
  auto engine = node.engine();
  engine->run({MetricClass::Compute, MetricClass::Power}, at(0));
  EXPECT_TRUE(engine->latest(at(0)).empty());
  EXPECT_TRUE(engine->take_minutes(at(600'000)).empty());
  EXPECT_EQ(engine->state()[0].samples, 0u);
}

}  // namespace
}  // namespace hyades
