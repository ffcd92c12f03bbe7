// Collectors in threads of their own: sources that answer, answer late, and hang.
#include "telemetry/collector_thread.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "fake_collector.hpp"

namespace hyades {
namespace {

// A source that answers only when the test writes a byte for it.
class Gate {
 public:
  Gate() { EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0); }
  ~Gate() {
    close(ends_[0]);
    close(ends_[1]);
  }
  void open() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void wait() {
    char byte = 0;
    EXPECT_EQ(read(ends_[0], &byte, 1), 1);
  }

  std::atomic<int> waiting{0};  // threads that came to the gate
  std::atomic<bool> gone{false};

 private:
  int ends_[2] = {-1, -1};
};

class GatedCollector : public FakeCollector {
 public:
  explicit GatedCollector(std::shared_ptr<Gate> gate)
      : FakeCollector("device", {gauge("device.temp")}), gate_(std::move(gate)) {}
  ~GatedCollector() override { gate_->gone = true; }
  void sample(std::vector<double>& to) override {
    ++gate_->waiting;
    gate_->wait();
    values[0] += 1;
    FakeCollector::sample(to);
  }

 private:
  std::shared_ptr<Gate> gate_;
};

bool within_a_minute(const std::function<bool()>& true_) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!true_()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

class HungDevice : public ::testing::Test {
 protected:
  CollectorThread::Options options(int patience_ms) {
    return {.patience_ms = patience_ms, .start_patience_ms = 60'000, .clock = [now_ms = now_ms_] {
              return now_ms->load();
            }};
  }
  std::unique_ptr<CollectorThread> device(int patience_ms) {
    return std::make_unique<CollectorThread>(
        "device", [gate = gate_] { return std::make_unique<GatedCollector>(gate); },
        options(patience_ms));
  }
  // Whether asking again gives this, at last. Asks only when the source is not being asked.
  bool comes_to(Collector& collector, double value) {
    return within_a_minute([&] {
      collector.sample(values_);
      return values_[0] == value;
    });
  }

  // Threads that are left behind may go on using it.
  std::shared_ptr<std::atomic<BootMs>> now_ms_ = std::make_shared<std::atomic<BootMs>>(1000);
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::vector<double> values_;
};

TEST_F(HungDevice, ASourceThatAnswersIsAsGoodAsAnyOther) {
  for (int i = 0; i < 3; ++i) gate_->open();
  auto collector = device(60'000);
  ASSERT_EQ(collector->metrics().size(), 1u);
  for (int i = 1; i <= 3; ++i) {
    collector->sample(values_);
    EXPECT_EQ(values_, std::vector<double>{1.0 * i});
    EXPECT_EQ(collector->trouble(), "");
    EXPECT_FALSE(collector->is_hung());
  }
  EXPECT_GE(collector->cpu_elsewhere_us(), 0);
}

TEST_F(HungDevice, SaysHowLongItWaitsAndReadsOnAfterwards) {
  auto collector = device(0);
  collector->sample(values_);
  EXPECT_TRUE(std::isnan(values_.at(0)));
  EXPECT_EQ(collector->trouble(), "no answer yet");
  *now_ms_ += 7'000;
  collector->sample(values_);
  EXPECT_TRUE(std::isnan(values_.at(0)));
  EXPECT_EQ(collector->trouble(), "no answer for 7 s");
  EXPECT_TRUE(collector->is_hung());
  gate_->open();
  EXPECT_TRUE(comes_to(*collector, 1));
  EXPECT_EQ(collector->trouble(), "");
  // It hangs again, and its answer of before is not given twice.
  collector->sample(values_);
  EXPECT_TRUE(std::isnan(values_.at(0)));
  EXPECT_EQ(collector->trouble(), "no answer yet");
  gate_->open();
}

TEST_F(HungDevice, AnAnswerThatTookTooLongIsThrownAway) {
  auto collector = device(0);
  collector->sample(values_);
  *now_ms_ += 11'000;
  ASSERT_TRUE(collector->is_hung());
  gate_->open();
  ASSERT_TRUE(within_a_minute([&] { return !collector->is_hung(); }));
  collector->sample(values_);
  EXPECT_TRUE(std::isnan(values_.at(0)));
  gate_->open();
  EXPECT_TRUE(comes_to(*collector, 2));
  gate_->open();
}

TEST_F(HungDevice, TheOtherReadingsGoOn) {
  Node node;
  node.collectors.push_back(device(0));
  FakeCollector* const cpu = node.add("cpu", {gauge("cpu.busy")});
  auto engine = node.engine();
  for (int i = 1; i <= 50; ++i) {
    *now_ms_ += 100;
    cpu->values = {1.0 * i};
    engine->run_class(MetricClass::Compute, {100 * i, 100 * i});
  }
  EXPECT_EQ(engine->latest({5000, 5000}).at("cpu.busy").value, 50);
  EXPECT_TRUE(std::isnan(engine->latest({5000, 5000}).at("device.temp").value));
  EXPECT_EQ(engine->history("device.temp", 0)->readings.size(), 50u);
  EXPECT_EQ(engine->state()[0].trouble, "no answer for 4 s");
  EXPECT_EQ(engine->state()[1].trouble, "");
  EXPECT_TRUE(within_a_minute([&] { return gate_->waiting == 1; }));
  gate_->open();
}

TEST_F(HungDevice, KeepsNobodyFromLeaving) {
  auto collector = device(0);
  collector->sample(values_);
  ASSERT_TRUE(within_a_minute([&] { return gate_->waiting == 1; }));
  collector.reset();
  EXPECT_FALSE(gate_->gone);  // the thread has it still
  gate_->open();
  EXPECT_TRUE(within_a_minute([&] { return gate_->gone.load(); }));
}

TEST_F(HungDevice, AnIdleThreadEndsWithItsCollector) {
  auto collector = device(0);
  collector.reset();
  EXPECT_TRUE(gate_->gone);
}

TEST_F(HungDevice, LookingForASourceMayHang) {
  CollectorThread::Options impatient = options(0);
  impatient.start_patience_ms = 0;
  CollectorThread collector(
      "device",
      [gate = gate_] {
        gate->wait();
        return std::make_unique<GatedCollector>(gate);
      },
      impatient);
  EXPECT_TRUE(collector.metrics().empty());
  EXPECT_EQ(collector.trouble(), "no answer for 0 s when it was looked for");
  collector.sample(values_);
  EXPECT_TRUE(values_.empty());
  *now_ms_ += 2'000;
  EXPECT_TRUE(collector.is_hung());
  gate_->open();
  EXPECT_TRUE(within_a_minute([&] { return !collector.is_hung(); }));
  EXPECT_TRUE(collector.metrics().empty());
}

TEST_F(HungDevice, WhatWasMadeAlreadyMayMoveToAThread) {
  gate_->open();
  auto collector = in_thread(std::make_unique<GatedCollector>(gate_), options(60'000));
  EXPECT_EQ(collector->name(), "device");
  collector->sample(values_);
  EXPECT_EQ(values_, std::vector<double>{1});
  collector.reset();
  EXPECT_TRUE(gate_->gone);
}

TEST_F(HungDevice, ASourceThatIsNotThereSaysSo) {
  CollectorThread broken(
      "broken", []() -> std::unique_ptr<Collector> { throw std::runtime_error("no library"); },
      options(0));
  EXPECT_TRUE(broken.metrics().empty());
  EXPECT_EQ(broken.trouble(), "no library");
  CollectorThread none(
      "none", [] { return nullptr; }, options(0));
  EXPECT_EQ(none.trouble(), "no such source");
}

}  // namespace
}  // namespace hyades
