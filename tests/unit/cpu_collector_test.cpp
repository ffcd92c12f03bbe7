// The node's processors, from trees that stand for /proc, and from this machine.
#include "telemetry/cpu_collector.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>

#include "fixture_tree.hpp"

namespace hyades {
namespace {

// A processor with user, nice, system, idle, iowait, irq, softirq, steal, and two more as the
// kernel has them.
void write_stat(FixtureTree& tree, const std::string& ticks) {
  tree.write("/proc/stat", "cpu  " + ticks + "\ncpu0 " + ticks + "\nintr 1 2 3\n");
}

class CpuCollectorTest : public testing::Test {
 protected:
  CpuCollectorTest() {
    write_stat(tree_, "100 0 50 800 50 0 0 0 0 0");
    tree_.write("/proc/loadavg", "0.74 3.06 3.11 3/116 14490\n");
    tree_.write("/proc/pressure/cpu",
                "some avg10=12.36 avg60=3.30 avg300=26.89 total=20863280236\n"
                "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  }
  FixtureTree tree_;
};

TEST_F(CpuCollectorTest, SharesOfTimeBetweenTwoSamples) {
  CpuCollector cpu(tree_.root());
  write_stat(tree_, "1000 0 50 800 50 0 0 0 0 0");  // before the first sample
  const Sample first(cpu);
  EXPECT_TRUE(first.none("cpu.busy"));
  EXPECT_EQ(first["cpu.load1"], 0.74);
  EXPECT_EQ(first["cpu.running"], 3);
  EXPECT_EQ(first["cpu.pressure"], 12.36);
  EXPECT_EQ(cpu.trouble(), "");
  write_stat(tree_, "1030 10 65 835 55 2 3 0 12 0");
  const Sample second(cpu);
  EXPECT_DOUBLE_EQ(second["cpu.user"], 40);
  EXPECT_DOUBLE_EQ(second["cpu.system"], 20);
  EXPECT_DOUBLE_EQ(second["cpu.busy"], 60);
  EXPECT_DOUBLE_EQ(second["cpu.iowait"], 5);
  EXPECT_DOUBLE_EQ(second["cpu.steal"], 0);
}

TEST_F(CpuCollectorTest, WhatAHypervisorTookIsNotBusy) {
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  write_stat(tree_, "150 0 50 800 50 0 0 50 0 0");
  const Sample sample(cpu);
  EXPECT_DOUBLE_EQ(sample["cpu.busy"], 50);
  EXPECT_DOUBLE_EQ(sample["cpu.steal"], 50);
}

TEST_F(CpuCollectorTest, WithinATickThereIsNoReadingAndNoTimeIsLost) {
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  EXPECT_TRUE(Sample(cpu).none("cpu.busy"));
  EXPECT_EQ(cpu.trouble(), "");
  write_stat(tree_, "101 0 50 801 50 0 0 0 0 0");
  EXPECT_DOUBLE_EQ(Sample(cpu)["cpu.busy"], 50);
}

// The kernel does take back iowait and idle time.
TEST_F(CpuCollectorTest, IdleTimeThatShrinksIsNotNegative) {
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  write_stat(tree_, "110 0 50 810 40 0 0 0 0 0");
  const Sample sample(cpu);
  EXPECT_DOUBLE_EQ(sample["cpu.iowait"], 0);
  EXPECT_DOUBLE_EQ(sample["cpu.busy"], 50);
  EXPECT_EQ(cpu.trouble(), "");
  write_stat(tree_, "120 0 50 700 40 0 0 0 0 0");
  EXPECT_DOUBLE_EQ(Sample(cpu)["cpu.busy"], 100);
  EXPECT_EQ(cpu.trouble(), "");
}

TEST_F(CpuCollectorTest, ATimeThatNeverShrinksDid) {
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  write_stat(tree_, "1 0 0 1 0 0 0 0 0 0");
  EXPECT_TRUE(Sample(cpu).none("cpu.busy"));
  EXPECT_NE(cpu.trouble().find("backwards"), std::string::npos) << cpu.trouble();
  write_stat(tree_, "4 0 0 2 0 0 0 0 0 0");
  EXPECT_DOUBLE_EQ(Sample(cpu)["cpu.busy"], 75);
  EXPECT_EQ(cpu.trouble(), "");
}

TEST_F(CpuCollectorTest, HugeTimesGiveSharesAllTheSame) {
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  write_stat(tree_,
             "18446744073709551615 0 18446744073709551615 18446744073709551615 "
             "18446744073709551615 0 0 0 0 0");
  EXPECT_NEAR(Sample(cpu)["cpu.busy"], 50, 1e-6);
}

TEST_F(CpuCollectorTest, OldKernelsHaveFewerColumns) {
  write_stat(tree_, "100 0 50 800");
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  write_stat(tree_, "110 0 60 820");
  EXPECT_DOUBLE_EQ(Sample(cpu)["cpu.busy"], 50);
}

TEST_F(CpuCollectorTest, GarbageIsNoReading) {
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  for (const char* ticks : {"", "1", "100 0 50 x", "-1 0 50 900", "1e9 1 1 1 1",
                            "99999999999999999999 0 0 0", "100 0 50 900 50 0 junk"}) {
    write_stat(tree_, ticks);
    EXPECT_TRUE(Sample(cpu).none("cpu.busy")) << ticks;
    EXPECT_NE(cpu.trouble(), "") << ticks;
  }
  for (const char* load :
       {"", "nan 1 1 1/2 3\n", "-1 1 1 1/2 3\n", "0.5 1 1 x/2 3\n", "0.5 1\n", "0.5 1 1 11"}) {
    tree_.write("/proc/loadavg", load);
    const Sample sample(cpu);
    EXPECT_TRUE(sample.none("cpu.load1")) << load;
    EXPECT_TRUE(sample.none("cpu.running")) << load;
  }
  for (const char* pressure :
       {"", "some avg10=", "some avg10=nan avg60=0\n", "some avg10=101.0 a\n",
        "some avg10=-1.0 a\n", "full avg10=1.0 avg60=1\n"}) {
    tree_.write("/proc/pressure/cpu", pressure);
    EXPECT_TRUE(Sample(cpu).none("cpu.pressure")) << pressure;
  }
  tree_.write("/proc/stat", "cpu  100 0 50 900");  // cut off: 9000?
  EXPECT_TRUE(Sample(cpu).none("cpu.busy"));
}

TEST_F(CpuCollectorTest, FilesThatGoAndComeBack) {
  CpuCollector cpu(tree_.root());
  Sample{cpu};
  tree_.remove("/proc");
  EXPECT_TRUE(Sample(cpu).has_nothing());
  EXPECT_NE(cpu.trouble().find("/proc/stat: gone"), std::string::npos) << cpu.trouble();
  write_stat(tree_, "110 0 50 810 50 0 0 0 0 0");
  EXPECT_DOUBLE_EQ(Sample(cpu)["cpu.busy"], 50);
}

TEST_F(CpuCollectorTest, WhatIsNotThereIsNotAmongTheMetrics) {
  tree_.remove("/proc/pressure");
  CpuCollector some(tree_.root());
  EXPECT_FALSE(has_metric(some, "cpu.pressure"));
  EXPECT_TRUE(has_metric(some, "cpu.load1"));
  EXPECT_NE(some.trouble().find("/proc/pressure/cpu"), std::string::npos);
  Sample{some};
  EXPECT_EQ(some.trouble(), "");
  tree_.remove("/proc");
  CpuCollector none(tree_.root());
  EXPECT_TRUE(none.metrics().empty());
  EXPECT_NE(none.trouble(), "");
  Sample{none};
}

double seconds(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// What others do at the same time makes it more, never less: so a lower bound, and some tolerance
// because the kernel counts in ticks.
TEST(CpuCollectorHere, ALoopOfOursIsInIt) {
  CpuCollector cpu("");
  ASSERT_TRUE(has_metric(cpu, "cpu.busy"));
  Sample{cpu};
  const double wall = seconds(CLOCK_MONOTONIC);
  const double own = seconds(CLOCK_PROCESS_CPUTIME_ID);
  volatile unsigned work = 0;
  while (seconds(CLOCK_PROCESS_CPUTIME_ID) < own + 0.5) work = work + 1;
  const Sample sample(cpu);
  const double share = 100 * (seconds(CLOCK_PROCESS_CPUTIME_ID) - own) /
                       (seconds(CLOCK_MONOTONIC) - wall) /
                       static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_GE(sample["cpu.busy"], 0.7 * share);
  EXPECT_LE(sample["cpu.busy"], 100);
}

}  // namespace
}  // namespace hyades
