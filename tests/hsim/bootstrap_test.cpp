// Intervals over windows.
#include "hsim/bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hyades {
namespace {

// What a window's figure may look like: 1 and more, with a long tail.
std::vector<double> windows(std::size_t count, std::uint64_t seed, double scale = 1) {
  std::vector<double> out;
  std::uint64_t state = seed * 6364136223846793005u + 1442695040888963407u;
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int n = 0; n < 12; ++n) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<double>(state >> 11) / 9007199254740992.0;
    }
    out.push_back(scale * std::exp(sum - 6));  // log-normal, near enough
  }
  return out;
}

TEST(Bootstrap, HoldsTheMeanAndIsTheSameForTheSameSeed) {
  const std::vector<double> values = windows(30, 3);
  double sum = 0;
  for (const double value : values) sum += value;
  const Interval first = bootstrap_mean(values), again = bootstrap_mean(values);
  EXPECT_DOUBLE_EQ(first.value, sum / 30);
  EXPECT_LT(first.low, first.value);
  EXPECT_GT(first.high, first.value);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_NE(bootstrap_mean(values, {.seed = 2}).low, first.low);
}

// These very numbers: other compilers and libraries must draw the same windows.
TEST(Bootstrap, DrawsTheSameEverywhere) {
  const Interval interval = bootstrap_mean({1, 2, 3, 4, 10}, {.resamples = 1000, .seed = 7});
  EXPECT_DOUBLE_EQ(interval.value, 4);
  EXPECT_DOUBLE_EQ(interval.low, 1.8);
  EXPECT_DOUBLE_EQ(interval.high, 7);
}

TEST(Bootstrap, OfOneValueOrEqualOnesHasNoWidth) {
  for (const std::vector<double>& values : {std::vector<double>{5}, {5, 5, 5}}) {
    const Interval interval = bootstrap_mean(values);
    EXPECT_DOUBLE_EQ(interval.low, 5);
    EXPECT_DOUBLE_EQ(interval.high, 5);
  }
  EXPECT_EQ(bootstrap_mean({}).high, 0);
  EXPECT_EQ(bootstrap_geometric_ratio({}).value, 0);
}

// In 95 of 100 samples of a known source, the interval should hold the truth. The bootstrap's
// intervals are known to be a little short on 30 windows with a long tail.
TEST(Bootstrap, HoldsTheTruthAboutAsOftenAsItSays) {
  int held = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const PairedWindows log{windows(30, seed * 2, 1.5), windows(30, seed * 2 + 1)};
    const Interval ratio = bootstrap_geometric_ratio({log}, {.resamples = 400, .seed = seed});
    if (ratio.low <= 1.5 && 1.5 <= ratio.high) ++held;
  }
  EXPECT_GE(held, 400 * .90);
  EXPECT_LE(held, 400 * .98);
}

TEST(Bootstrap, PairsCancelWhatIsHardForBoth) {
  PairedWindows log{windows(30, 9), {}};
  for (const double value : log.a) log.b.push_back(value * 2);
  const Interval ratio = bootstrap_geometric_ratio({log});
  EXPECT_NEAR(ratio.value, .5, 1e-12);
  EXPECT_NEAR(ratio.low, .5, 1e-12);
  EXPECT_NEAR(ratio.high, .5, 1e-12);
  const Interval means = bootstrap_ratio_of_means({log});
  EXPECT_NEAR(means.low, .5, 1e-12);
}

TEST(Bootstrap, EveryLogCountsTheSame) {
  const PairedWindows few{{2, 2}, {1, 1}};
  const PairedWindows many{std::vector<double>(50, 8), std::vector<double>(50, 1)};
  EXPECT_NEAR(bootstrap_geometric_ratio({few, many}).value, 4, 1e-12);
  EXPECT_NEAR(bootstrap_ratio_of_means({few, many}).value, 4, 1e-12);
  EXPECT_NEAR(bootstrap_geometric_ratio({few, {}, many}).value, 4, 1e-12) << "a log without any";
}

TEST(Bootstrap, RatioOfMeansIsNotTheMeanOfRatios) {
  const PairedWindows log{{1, 100}, {2, 10}};
  EXPECT_NEAR(bootstrap_ratio_of_means({log}).value, 101.0 / 12, 1e-12);
  EXPECT_NEAR(bootstrap_geometric_ratio({log}).value, std::sqrt(5.0), 1e-12);
  EXPECT_DOUBLE_EQ(bootstrap_ratio_of_means({{{0, 0}, {0, 0}}}).value, 1);
}

// What is gained on one log of four is gained beyond doubt there, and not elsewhere.
TEST(Bootstrap, OtherLogsAreMoreDoubtful) {
  std::vector<PairedWindows> logs;
  for (std::uint64_t log = 0; log < 4; ++log) {
    PairedWindows pairs;
    pairs.b = windows(20, log + 1);
    for (const double value : pairs.b) pairs.a.push_back(log == 0 ? value / 2 : value * 1.01);
    logs.push_back(std::move(pairs));
  }
  const Interval here = bootstrap_geometric_ratio(logs, {.resamples = 1000});
  const Interval elsewhere =
      bootstrap_geometric_ratio(logs, {.resamples = 1000, .other_logs = true});
  EXPECT_DOUBLE_EQ(here.value, elsewhere.value);
  EXPECT_LT(here.high, 1);
  EXPECT_GE(elsewhere.high, 1);
  EXPECT_LT(elsewhere.low, here.low);
}

}  // namespace
}  // namespace hyades
