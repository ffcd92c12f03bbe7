// Whose energy it was; above all, that no joule is lost or made.
#include "telemetry/energy_share.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/prng.hpp"
#include "telemetry/metric.hpp"

namespace hyades {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// 0 up to, but without, 1.
double fraction(Prng& prng) { return static_cast<double>(prng.below(1u << 30)) / (1u << 30); }

double sum_of(const EnergyShares& shares) {
  double sum = shares.unattributed_joules;
  for (double joules : shares.jobs_joules) sum += joules;
  return sum;
}

TEST(EnergyShare, WhoHoldsPaysForIdleAndWhoComputesForTheRest) {
  NodeUse node{.joules = 1000, .idle_share = 0.4, .cpu_seconds = 10, .cores = 8, .jobs = {}};
  node.jobs = {{.cpu_seconds = 6, .cores = 2}, {.cpu_seconds = 0, .cores = 4}};
  const EnergyShares shares = share_energy(node);
  EXPECT_NEAR(shares.jobs_joules[0], 400 * 2 / 8.0 + 600 * 6 / 10.0, 1e-9);
  EXPECT_NEAR(shares.jobs_joules[1], 400 * 4 / 8.0, 1e-9);
  EXPECT_NEAR(shares.unattributed_joules, 100 + 240, 1e-9);
}

TEST(EnergyShare, AGpuGoesToItsUser) {
  NodeUse node{
      .joules = 1000, .idle_share = 1, .cpu_seconds = 0, .cores = 4, .gpu_joules = 600, .jobs = {}};
  node.jobs = {{.cores = 4, .gpu_joules = 500}, {}};
  EnergyShares shares = share_energy(node);
  EXPECT_NEAR(shares.jobs_joules[0], 500 + 400, 1e-9);
  EXPECT_NEAR(shares.unattributed_joules, 100, 1e-9);
  node.joules = 300;  // less than its GPUs claim
  shares = share_energy(node);
  EXPECT_NEAR(shares.jobs_joules[0], 250, 1e-9);
}

TEST(EnergyShare, AnEmptyNodesEnergyIsNobodys) {
  EXPECT_EQ(
      share_energy({.joules = 50, .idle_share = 0.5, .cores = 4, .jobs = {}}).unattributed_joules,
      50);
}

TEST(EnergyShare, WhatIsNotKnownIsNotShared) {
  for (double joules : {kNoReading, -1.0, kInfinite}) {
    const EnergyShares shares = share_energy({.joules = joules, .jobs = {{1, 1, 1}}});
    EXPECT_TRUE(std::isnan(shares.jobs_joules[0]));
    EXPECT_TRUE(std::isnan(shares.unattributed_joules));
  }
}

double any_amount(Prng& prng) {
  static constexpr double odd[] = {0, -1, kNoReading, kInfinite, 1e300, 1e-300, 5e-324};
  if (prng.chance(60)) return odd[prng.below(std::size(odd))];
  return fraction(prng) * std::pow(10, static_cast<double>(prng.between(-6, 9)));
}

TEST(EnergyShare, NoJouleIsLostOrMade) {
  int shared = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Prng prng(seed);
    NodeUse node;
    node.joules = fraction(prng) * std::pow(10, static_cast<double>(prng.between(-3, 9)));
    node.idle_share = prng.chance(100) ? any_amount(prng) : fraction(prng);
    node.cpu_seconds = any_amount(prng);
    node.cores = any_amount(prng);
    node.gpu_joules = any_amount(prng);
    for (std::uint64_t jobs = prng.below(65); jobs > 0; --jobs) {
      node.jobs.push_back({any_amount(prng), any_amount(prng), any_amount(prng)});
    }
    const EnergyShares shares = share_energy(node);
    ASSERT_EQ(shares.jobs_joules.size(), node.jobs.size());
    ASSERT_NEAR(sum_of(shares), node.joules, 1e-9 * node.joules) << seed;
    ASSERT_GE(shares.unattributed_joules, 0) << seed;
    for (double joules : shares.jobs_joules) ASSERT_GE(joules, 0) << seed;
    shared += sum_of(shares) > shares.unattributed_joules;
  }
  EXPECT_GT(shared, 8000);
}

}  // namespace
}  // namespace hyades
