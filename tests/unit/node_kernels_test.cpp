// What measures nodes: small and short here, so that what is tried is whether it measures at all,
// and leaves nothing behind.
#include "telemetry/node_kernels.hpp"

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include "fixture_tree.hpp"
#include "telemetry/node_profiler.hpp"

namespace hyades {
namespace {

constexpr double kShort_s = 0.01;
constexpr std::size_t kSmall = 1u << 20;

bool is_figure(double value) { return std::isfinite(value) && value > 0; }

TEST(NodeKernels, EachGivesANumberInAMomentsTime) {
  const std::vector<int> cpus = usable_cpus();
  ASSERT_FALSE(cpus.empty());
  EXPECT_TRUE(is_figure(gemm_gflops(cpus, kShort_s, 64)));
  EXPECT_TRUE(is_figure(triad_gbs(cpus, kShort_s, kSmall)));
  EXPECT_TRUE(is_figure(triad_gbs({cpus.front()}, kShort_s, kSmall)));
  EXPECT_TRUE(is_figure(chase_ns(cpus.front(), kShort_s, kSmall)));
  EXPECT_TRUE(is_figure(disk_mbs(std::filesystem::temp_directory_path(), kShort_s, kSmall)));
}

TEST(NodeKernels, NothingIsTooSmallAndNoTimeTooShort) {
  const std::vector<int> cpus = usable_cpus();
  EXPECT_TRUE(is_figure(gemm_gflops(cpus, 0, 1)));
  EXPECT_TRUE(is_figure(triad_gbs(cpus, 0, 1)));
  EXPECT_TRUE(is_figure(chase_ns(cpus.front(), 0, 1)));
  EXPECT_TRUE(is_figure(disk_mbs(std::filesystem::temp_directory_path(), 0, 1)));
}

// Also above the depth of a block, and where the last block is not a whole one.
TEST(NodeKernels, TheProductIsRight) {
  for (const std::size_t n : {kGemmStep, 3 * kGemmStep, 17 * kGemmStep}) {
    std::vector<double> a(n * n), b(n * n), c(n * n, -1);
    for (std::size_t i = 0; i < n * n; ++i) {
      a[i] = static_cast<double>(i % 7) - 3;
      b[i] = static_cast<double>(i % 11) - 5;
    }
    multiply(a.data(), b.data(), c.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < n; ++k) sum += a[i * n + k] * b[k * n + j];
        ASSERT_EQ(c[i * n + j], sum) << "n " << n << " row " << i << " column " << j;
      }
    }
  }
}

TEST(NodeKernels, TheWalkVisitsTheWholeRing) {
  for (const std::size_t lines : {2u, 3u, 64u, 10'007u}) {
    const std::vector<ChaseLine> ring = chase_ring(lines);
    std::vector<bool> seen(lines);
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < lines; ++i) {
      ASSERT_LT(at, lines);
      ASSERT_FALSE(seen[at]) << "back too early, after " << i << " of " << lines;
      seen[at] = true;
      at = ring[at].next;
    }
    EXPECT_EQ(at, 0u);
  }
  EXPECT_EQ(sizeof(ChaseLine), 64u);
}

class DiskKernel : public testing::Test {
 protected:
  void TearDown() override {
    std::filesystem::permissions(tree_.root(), std::filesystem::perms::owner_all);
    EXPECT_TRUE(std::filesystem::is_empty(tree_.root())) << "a file was left";
  }
  FixtureTree tree_;
};

TEST_F(DiskKernel, LeavesNoFile) { EXPECT_TRUE(is_figure(disk_mbs(tree_.root(), 0, kSmall))); }

TEST_F(DiskKernel, LeavesNoneWhereItMayNotWrite) {
  std::filesystem::permissions(tree_.root(), std::filesystem::perms::owner_read);
  try {
    disk_mbs(tree_.root(), 0, kSmall);  // root may
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(tree_.root()), std::string::npos) << error.what();
  }
  EXPECT_THROW(disk_mbs(tree_.root() + "/missing", 0, kSmall), std::runtime_error);
}

TEST_F(DiskKernel, LeavesNoneOnAFullDisk) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{kSmall / 2, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  EXPECT_THROW(disk_mbs(tree_.root(), 0, kSmall), std::runtime_error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
}

// ---- how much memory is taken -----------------------------------------------------------------

class KernelMemory : public testing::Test {
 protected:
  void SetUp() override {
    tree_.write("/proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable:    4000000 kB\n");
  }
  std::size_t kib() const { return memory_for_kernels(tree_.root()) / 1024; }
  FixtureTree tree_;
};

TEST_F(KernelMemory, IsAQuarterOfWhatIsAvailable) { EXPECT_EQ(kib(), 1'000'000u); }

TEST_F(KernelMemory, IsAQuarterOfTheLeastLimitAbove) {
  tree_.write("/proc/self/cgroup", "0::/a/b\n");
  tree_.write("/sys/fs/cgroup/a/memory.max", "819200000\n");
  tree_.write("/sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(kib(), 200'000u);
}

TEST_F(KernelMemory, KnowsTheFirstVersionOfGroups) {
  tree_.write("/proc/self/cgroup", "5:devices:/\n4:cpu,memory:/job\n0::/\n");
  tree_.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  tree_.write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "409600000\n");
  EXPECT_EQ(kib(), 100'000u);
}

TEST_F(KernelMemory, SeesTheLimitWhereAContainerShowsItsOwnGroupAsTheTop) {
  tree_.write("/proc/self/cgroup", "0::/not/to/be/seen\n");
  tree_.write("/sys/fs/cgroup/memory.max", "409600000\n");
  EXPECT_EQ(kib(), 100'000u);
}

TEST_F(KernelMemory, BoundsTheKernels) {
  EXPECT_LE(triad_bytes(1000), 1000u);
  EXPECT_LE(chase_bytes(1000), 1000u);
  EXPECT_LE(chase_bytes(SIZE_MAX), 256u << 20);
  EXPECT_GE(chase_bytes(SIZE_MAX), 32u << 20);
  EXPECT_GE(triad_bytes(SIZE_MAX), std::min(12 * last_level_cache_bytes(), std::size_t{4} << 30));
}

// ---- all of them ------------------------------------------------------------------------------

TEST(NodeProfiler, GivesAProfileThatIsOne) {
  std::vector<std::string> said;
  const NodeProfile profile =
      measure_node({.seconds = kShort_s,
                    .directory = std::filesystem::temp_directory_path(),
                    .progress = [&](const std::string& what) { said.push_back(what); }});
  EXPECT_EQ(check_profile(profile), "");
  EXPECT_EQ(profile.source, "hyades-profile 1");
  EXPECT_GT(profile.measured_ms, 1'700'000'000'000);
  for (const char* name : {"gemm_gflops", "stream_gbs", "stream_one_gbs", "chase_ns", "disk_mbs"}) {
    EXPECT_GT(profile.figure(name), 0) << name;
  }
  EXPECT_GE(said.size(), 5u);
}

}  // namespace
}  // namespace hyades
