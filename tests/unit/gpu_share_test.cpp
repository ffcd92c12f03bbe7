// Whose GPUs are whose; above all, that no device is given away twice.
#include "telemetry/gpu_share.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/prng.hpp"

namespace hyades {
namespace {

GpuDeviceUse device(double percent, double joules, std::vector<GpuProcess> processes) {
  return {.percent = percent, .joules = joules, .total_mib = 8192, .processes = processes};
}

TEST(GpuShare, ADeviceIsItsOnlyJobs) {
  const auto shares =
      share_gpus({device(80, 300, {{10, 1024}, {11, 512}}), device(40, 100, {})}, {{10, 11}, {20}});
  ASSERT_EQ(shares.size(), 2u);
  EXPECT_EQ(shares[0].devices, 1);
  EXPECT_EQ(shares[0].percent, 80);
  EXPECT_DOUBLE_EQ(shares[0].busy, 0.8);
  EXPECT_EQ(shares[0].memory_mib, 1536);
  EXPECT_EQ(shares[0].joules, 300);
  EXPECT_EQ(shares[1].devices, 0);
  EXPECT_EQ(shares[1].busy, 0);  // that is known
  EXPECT_TRUE(std::isnan(shares[1].percent));
  EXPECT_TRUE(std::isnan(shares[1].memory_mib));
  EXPECT_EQ(shares[1].joules, 0);
}

TEST(GpuShare, OfSeveralDevicesTheMean) {
  const auto shares = share_gpus(
      {device(90, 300, {{10, 1024}}), device(30, 100, {{10, 1024}, {11, 1024}})}, {{10, 11}});
  EXPECT_EQ(shares[0].devices, 2);
  EXPECT_EQ(shares[0].percent, 60);
  EXPECT_DOUBLE_EQ(shares[0].busy, 1.2);
  EXPECT_EQ(shares[0].memory_mib, 3072);
  EXPECT_EQ(shares[0].joules, 400);
}

TEST(GpuShare, WhoSharesADeviceSharesItByMemory) {
  const std::vector<std::vector<pid_t>> jobs = {{10}, {20}};
  auto shares = share_gpus({device(80, 400, {{10, 3000}, {20, 1000}})}, jobs);
  EXPECT_DOUBLE_EQ(shares[0].joules, 300);
  EXPECT_DOUBLE_EQ(shares[1].joules, 100);
  EXPECT_DOUBLE_EQ(shares[0].busy, 0.6);
  EXPECT_DOUBLE_EQ(shares[1].busy, 0.2);
  EXPECT_EQ(shares[1].percent, 80);
  // Of one it is not known, so neither can be weighed.
  shares = share_gpus({device(80, 400, {{10, 3000}, {20, kNoReading}})}, jobs);
  EXPECT_DOUBLE_EQ(shares[0].joules, 200);
  EXPECT_DOUBLE_EQ(shares[1].joules, 200);
  EXPECT_EQ(shares[0].memory_mib, 3000);
  EXPECT_TRUE(std::isnan(shares[1].memory_mib));
  // They have none yet.
  shares = share_gpus({device(80, 400, {{10, 0}, {20, 0}})}, jobs);
  EXPECT_DOUBLE_EQ(shares[1].joules, 200);
}

TEST(GpuShare, WhoIsNobodysJobHasAPart) {
  const auto shares = share_gpus({device(100, 400, {{10, 1000}, {77, 3000}})}, {{10}});
  EXPECT_DOUBLE_EQ(shares[0].joules, 100);
  EXPECT_DOUBLE_EQ(shares[0].busy, 0.25);
}

TEST(GpuShare, WhatCannotBeIsLeftOut) {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double mib : {-1.0, 8193.0, infinite, kNoReading}) {
    const auto shares = share_gpus({device(50, 100, {{10, mib}, {0, 10}, {-1, 10}})}, {{10}});
    EXPECT_TRUE(std::isnan(shares[0].memory_mib)) << mib;
    EXPECT_DOUBLE_EQ(shares[0].joules, 100) << mib;
  }
  for (const double percent : {-1.0, 101.0, infinite, kNoReading}) {
    const auto shares = share_gpus({device(percent, 100, {{10, 1}})}, {{10}});
    EXPECT_TRUE(std::isnan(shares[0].percent)) << percent;
    EXPECT_TRUE(std::isnan(shares[0].busy)) << percent;
  }
  for (const double joules : {-1.0, infinite, kNoReading}) {
    EXPECT_EQ(share_gpus({device(50, joules, {{10, 1}})}, {{10}})[0].joules, 0) << joules;
  }
}

// A device of which nobody knows who is on it may be anybody's.
TEST(GpuShare, WhatTheDriverDoesNotSayIsNotKnown) {
  GpuDeviceUse silent = device(50, 100, {});
  silent.processes.reset();
  const auto shares = share_gpus({device(50, 100, {{10, 1}}), silent}, {{10}, {20}});
  EXPECT_TRUE(std::isnan(shares[0].busy));
  EXPECT_TRUE(std::isnan(shares[1].busy));
  EXPECT_EQ(shares[0].percent, 50);
  EXPECT_EQ(shares[0].memory_mib, 1);
  EXPECT_EQ(shares[0].joules, 100);
  EXPECT_TRUE(std::isnan(share_gpus({}, {{10}})[0].busy));
}

TEST(GpuShare, NothingIsGivenAwayTwice) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Prng prng(seed);
    std::vector<GpuDeviceUse> devices;
    double joules = 0;
    double busy = 0;
    for (std::uint64_t i = prng.below(5); i > 0; --i) {
      std::vector<GpuProcess> processes;
      for (std::uint64_t p = prng.below(6); p > 0; --p) {
        processes.push_back(
            {static_cast<int>(prng.below(12)),
             prng.chance(100) ? kNoReading : static_cast<double>(prng.below(4096))});
      }
      devices.push_back(device(static_cast<double>(prng.below(101)),
                               static_cast<double>(prng.below(1000)), processes));
      joules += devices.back().joules;
      busy += devices.back().percent / 100;
    }
    double shared_joules = 0;
    double shared_busy = 0;
    for (const GpuJobUse& job : share_gpus(devices, {{1, 2}, {3}, {4, 5, 6}, {}})) {
      EXPECT_GE(job.joules, 0);
      shared_joules += job.joules;
      if (!devices.empty()) shared_busy += job.busy;
    }
    EXPECT_LE(shared_joules, joules + 1e-6) << seed;
    EXPECT_LE(shared_busy, busy + 1e-9) << seed;
  }
}

}  // namespace
}  // namespace hyades
