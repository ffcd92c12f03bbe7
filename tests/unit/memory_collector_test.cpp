// The node's memory, from trees that stand for /proc, and from this machine.
#include "telemetry/memory_collector.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "fixture_tree.hpp"

namespace hyades {
namespace {

const char* const meminfo =
    "MemTotal:        8388608 kB\n"
    "MemFree:          100000 kB\n"
    "MemAvailable:    6291456 kB\n"
    "Buffers:            1024 kB\n"
    "Cached:             2048 kB\n"
    "SwapCached:           99 kB\n"
    "SwapTotal:       1048576 kB\n"
    "SwapFree:         524288 kB\n"
    "SReclaimable:       3072 kB\n";
const char* const vmstat =
    "nr_free_pages 25000\npswpin 256\npswpout 512\npgmajfault 7\noom_kill 2\n";

class MemoryCollectorTest : public testing::Test {
 protected:
  MemoryCollectorTest() {
    tree_.write("/proc/meminfo", meminfo);
    tree_.write("/proc/vmstat", vmstat);
    tree_.write("/proc/pressure/memory",
                "some avg10=1.50 avg60=0.16 avg300=0.69 total=351387901\n");
  }
  FixtureTree tree_;
};

TEST_F(MemoryCollectorTest, SizesAndCounts) {
  MemoryCollector memory(tree_.root());
  EXPECT_EQ(memory.trouble(), "");
  const Sample sample(memory);
  EXPECT_EQ(sample["memory.total"], 8192);
  EXPECT_EQ(sample["memory.available"], 6144);
  EXPECT_EQ(sample["memory.used"], 2048);
  EXPECT_EQ(sample["memory.cached"], 6);
  EXPECT_EQ(sample["memory.swap_used"], 512);
  EXPECT_EQ(sample["memory.major_faults"], 7);
  EXPECT_EQ(sample["memory.oom_kills"], 2);
  const double mib_per_page = static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576;
  EXPECT_EQ(sample["memory.swapped_in"], 256 * mib_per_page);
  EXPECT_EQ(sample["memory.swapped_out"], 512 * mib_per_page);
  EXPECT_EQ(sample["memory.pressure"], 1.5);
  EXPECT_EQ(memory.trouble(), "");
  EXPECT_EQ(metric_named(memory, "memory.oom_kills").behavior, Behavior::Counter);
  EXPECT_EQ(metric_named(memory, "memory.used").behavior, Behavior::Gauge);
}

TEST_F(MemoryCollectorTest, AKernelThatDoesNotKeepSomeOfIt) {
  tree_.remove("/proc/pressure");
  tree_.write("/proc/vmstat", "nr_free_pages 25000\npgmajfault 7\n");
  tree_.write("/proc/meminfo",
              "MemTotal: 2048 kB\nMemAvailable: 1024 kB\nBuffers: 0 kB\nCached: 0 kB\n");
  MemoryCollector memory(tree_.root());
  EXPECT_FALSE(has_metric(memory, "memory.pressure"));
  EXPECT_FALSE(has_metric(memory, "memory.oom_kills"));
  EXPECT_FALSE(has_metric(memory, "memory.swapped_in"));
  const Sample sample(memory);
  EXPECT_EQ(sample["memory.major_faults"], 7);
  EXPECT_EQ(sample["memory.swap_used"], 0);
}

TEST_F(MemoryCollectorTest, LyingAndTruncatedFiles) {
  MemoryCollector memory(tree_.root());
  for (const char* text :
       {"", "MemTotal: 1 kB\nMemAvailable: 2 kB\nBuffers: 0 kB\nCached: 0 kB\n",
        "MemTotal: 99999999999999999999999 kB\n", "MemTotal: -5 kB\n", "MemTotal: lots kB\n",
        "MemTotal: 2048 kB\nMemAvailable: 1024 kB\nBuffers: 1 kB\nCached: 5",  // 500?
        "MemTotal: 9 kB\nMemAvailable: 9 kB\nBuffers: 0 kB\nCached: 0 kB\nSwapFree: 1 kB\n"}) {
    tree_.write("/proc/meminfo", text);
    const Sample sample(memory);
    EXPECT_TRUE(sample.none("memory.total")) << text;
    EXPECT_TRUE(sample.none("memory.used")) << text;
    EXPECT_EQ(sample["memory.oom_kills"], 2) << "the other files have nothing to do with it";
    EXPECT_NE(memory.trouble(), "") << text;
  }
  tree_.write("/proc/vmstat", "pgmajfault 7\noom_kill 2");  // 25?
  const Sample sample(memory);
  EXPECT_EQ(sample["memory.major_faults"], 7);
  EXPECT_TRUE(sample.none("memory.oom_kills"));
  EXPECT_NE(memory.trouble().find("memory.oom_kills"), std::string::npos) << memory.trouble();
}

TEST_F(MemoryCollectorTest, FilesThatGoAndComeBack) {
  MemoryCollector memory(tree_.root());
  tree_.remove("/proc");
  EXPECT_TRUE(Sample(memory).has_nothing());
  EXPECT_NE(memory.trouble().find("/proc/meminfo: gone"), std::string::npos) << memory.trouble();
  tree_.write("/proc/meminfo", meminfo);
  EXPECT_EQ(Sample(memory)["memory.total"], 8192);
  MemoryCollector none(tree_.root() + "/nothing");
  EXPECT_TRUE(none.metrics().empty());
  EXPECT_NE(none.trouble(), "");
}

TEST(MemoryCollectorHere, AgreesWithTheKernelAboutThisMachine) {
  MemoryCollector memory("");
  const Sample sample(memory);
  const double mib = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                     static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576;
  EXPECT_NEAR(sample["memory.total"], mib, 1);
  EXPECT_GT(sample["memory.used"], 0);
}

}  // namespace
}  // namespace hyades
