// What is made of readings: rates, cleaned series, features, sums. Above all, that nothing looks
// into the future.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/prng.hpp"
#include "telemetry/counter_rate.hpp"
#include "telemetry/hampel_filter.hpp"
#include "telemetry/minute_rollup.hpp"
#include "telemetry/rolling.hpp"
#include "telemetry/rollup.hpp"

namespace hyades {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(CounterRate, IsWhatItGrewByInTheTimeThatPassed) {
  CounterRate rate;
  EXPECT_TRUE(std::isnan(rate.step(1000, 500).rate()));
  const CounterStep step = rate.step(3000, 700);
  EXPECT_EQ(step.increase, 200);
  EXPECT_EQ(step.seconds, 2);
  EXPECT_EQ(step.rate(), 100);
  EXPECT_EQ(rate.step(4000, 700).rate(), 0);
}

TEST(CounterRate, GoesOnAfterAWrap) {
  CounterRate rate(1000);
  rate.step(0, 900);
  EXPECT_EQ(rate.step(1000, 100).increase, 200);
  rate.step(2000, 1000);  // a source may show the number at which it wraps
  EXPECT_EQ(rate.step(3000, 10).increase, 10);
}

TEST(CounterRate, ANewBeginningIsNoWrapAndNoHugeNumber) {
  CounterRate rate(4294967296.0);
  rate.step(0, 1'000'000);
  EXPECT_TRUE(std::isnan(rate.step(1000, 20).rate()));
  EXPECT_EQ(rate.step(2000, 120).rate(), 100);
  CounterRate endless;
  endless.step(0, 1'000'000);
  EXPECT_TRUE(std::isnan(endless.step(1000, 999'999).rate()));
  CounterRate liar(1000);  // beyond where it said that it wraps
  liar.step(0, 5000);
  EXPECT_TRUE(std::isnan(liar.step(1000, 1).rate()));
}

TEST(CounterRate, AGapIsBridgedAndTimeThatStoodStillWaitedFor) {
  CounterRate rate;
  rate.step(0, 100);
  for (double none : {kNoReading, kInfinite, -1.0}) {
    EXPECT_EQ(rate.step(1000, none).seconds, 0);
  }
  EXPECT_EQ(rate.step(2000, 300).rate(), 100);
  EXPECT_TRUE(std::isnan(rate.step(2000, 350).rate()));
  EXPECT_EQ(rate.step(3000, 400).rate(), 100);
  const CounterStep back = rate.step(1000, 900);
  EXPECT_TRUE(std::isnan(back.increase));
  EXPECT_EQ(back.seconds, 0);
  EXPECT_EQ(rate.step(2000, 950).rate(), 50);
}

TEST(HampelFilter, TakesASpikeOutAndLeavesNoiseAlone) {
  HampelFilter filter({.window = 7, .k = 3, .floor = 0.1});
  const std::vector<double> noise = {10, 11, 9, 10.5, 9.5, 10.2, 9.8, 10.4};
  for (double value : noise) {
    const HampelFilter::Result result = filter.push(value);
    EXPECT_FALSE(result.wild) << value;
    EXPECT_EQ(result.value, value);
  }
  const HampelFilter::Result spike = filter.push(500);
  EXPECT_TRUE(spike.wild);
  EXPECT_NEAR(spike.value, 10, 0.5);
  EXPECT_FALSE(filter.push(10.1).wild);
}

// By hand: of {1, 2, 3, 4, 100} the median is 3, the deviations {2, 1, 0, 1, 97} have the median 1.
TEST(HampelFilter, FollowsItsFormula) {
  const auto last = [](double k, double floor, double value) {
    HampelFilter filter({.window = 5, .k = k, .floor = floor});
    for (double before : {1.0, 2.0, 3.0, 4.0}) filter.push(before);
    return filter.push(value);
  };
  EXPECT_EQ(last(3, 0, 100).value, 3);
  EXPECT_FALSE(last(97 / 1.4826 + 0.01, 0, 100).wild);
  EXPECT_TRUE(last(97 / 1.4826 - 0.01, 0, 100).wild);
  EXPECT_FALSE(last(3, 33, 100).wild);
  // Of an even number, the middle of the two in the middle.
  HampelFilter even({.window = 4, .k = 3, .floor = 0});
  for (double before : {1.0, 2.0, 3.0}) even.push(before);
  EXPECT_EQ(even.push(100).value, 2.5);
}

TEST(HampelFilter, FollowsAChangeThatLasts) {
  HampelFilter filter({.window = 5, .k = 3, .floor = 1});
  for (int i = 0; i < 10; ++i) filter.push(0);
  EXPECT_EQ(filter.push(100).value, 0);
  EXPECT_EQ(filter.push(100).value, 0);
  EXPECT_EQ(filter.push(100).value, 100);
}

TEST(HampelFilter, GapsStayGapsAndBeginningsAreBelieved) {
  HampelFilter filter({.k = 0.1});
  EXPECT_TRUE(std::isnan(filter.push(kNoReading).value));
  EXPECT_TRUE(std::isnan(filter.push(kInfinite).value));
  EXPECT_EQ(filter.push(5).value, 5);
  EXPECT_EQ(filter.push(5000).value, 5000);
}

TEST(Rolling, DescribesTheWindow) {
  std::vector<Reading> series;
  for (int i = 1; i <= 40; ++i) series.push_back({i * 1000, static_cast<double>(i)});
  series[29].value = kNoReading;  // 30
  const auto rows = rolling_features(series, {.window_ms = 20'000, .lag = 10});
  const RollingFeatures& row = rows.back();  // 21..40 but 30
  EXPECT_EQ(row.readings, 19);
  EXPECT_EQ(row.gaps, 1);
  EXPECT_EQ(row.min, 21);
  EXPECT_EQ(row.max, 40);
  EXPECT_NEAR(row.mean, 580.0 / 19, 1e-9);
  EXPECT_NEAR(row.slope, 1, 1e-9);
  EXPECT_EQ(row.p95, 40);  // the 19th of 19
  EXPECT_EQ(row.lag_1, 39);
  EXPECT_TRUE(std::isnan(row.lag_k));
  EXPECT_EQ(rows[38].lag_k, 29);
  EXPECT_EQ(rows[19].p95, 19);  // the 19th of 20
  EXPECT_NEAR(rows[3].stddev, std::sqrt(1.25), 1e-12);
}

TEST(Rolling, SaysNothingWhereThereIsNothing) {
  Rolling rolling({.window_ms = 1000, .lag = 0});
  RollingFeatures row = rolling.push({0, kNoReading});
  EXPECT_EQ(row.readings, 0);
  EXPECT_EQ(row.gaps, 1);
  for (double value : {row.mean, row.min, row.max, row.stddev, row.p95, row.slope, row.lag_1}) {
    EXPECT_TRUE(std::isnan(value));
  }
  row = rolling.push({1, 7});
  EXPECT_EQ(row.mean, 7);
  EXPECT_EQ(row.stddev, 0);
  EXPECT_TRUE(std::isnan(row.slope));
  row = rolling.push({1, 8});
  EXPECT_TRUE(std::isnan(row.slope));  // of one moment
  EXPECT_EQ(row.lag_k, 7);             // a lag of 0 is one of 1
  row = rolling.push({5000, 9});
  EXPECT_EQ(row.readings, 1);
  row = rolling.push({100, 3});  // the clock was set back
  EXPECT_EQ(row.max, 3);
  EXPECT_TRUE(std::isnan(row.lag_1));
}

std::vector<Reading> any_series(Prng& prng) {
  std::vector<Reading> series;
  WallMs at_ms = 1'700'000'000'000;
  double value = 1000;
  for (std::uint64_t i = prng.between(1, 80); i > 0; --i) {
    at_ms += prng.chance(50) ? -prng.between(0, 500) : prng.skewed(1, 5000);
    value += static_cast<double>(prng.between(-20, 60));
    double reading = value;
    if (prng.chance(80)) reading = kNoReading;
    if (prng.chance(50)) reading = value * 1000;
    if (prng.chance(30)) value = 0;
    series.push_back({at_ms, reading});
  }
  return series;
}

using Row = std::vector<double>;
using Rows = std::vector<Row>;
using Prepare = std::function<Rows(std::span<const Reading>)>;

Rows rows_of(const std::vector<Reading>& readings) {
  Rows rows;
  for (const Reading& r : readings) rows.push_back({static_cast<double>(r.at_ms), r.value});
  return rows;
}

Rows rows_of(const std::vector<RollingFeatures>& features) {
  Rows rows;
  for (const RollingFeatures& f : features) {
    rows.push_back({static_cast<double>(f.at_ms), static_cast<double>(f.readings),
                    static_cast<double>(f.gaps), f.mean, f.min, f.max, f.stddev, f.p95, f.slope,
                    f.lag_1, f.lag_k});
  }
  return rows;
}

bool same(const Row& left, const Row& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); });
}

// How many of 300 series tell at some time what only a later reading could have told.
int leaks(const Prepare& prepare) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Prng prng(seed);
    const std::vector<Reading> series = any_series(prng);
    const Rows whole = prepare(series);
    EXPECT_EQ(whole.size(), series.size());
    bool leaked = false;
    for (std::size_t end = 1; end <= series.size() && !leaked; ++end) {
      leaked = !same(prepare(std::span(series).first(end)).back(), whole[end - 1]);
    }
    found += leaked;
  }
  return found;
}

TEST(Truncation, NothingThatIsPreparedKnowsTheFuture) {
  EXPECT_EQ(leaks([](auto series) { return rows_of(rates(series, 0)); }), 0);
  EXPECT_EQ(leaks([](auto series) { return rows_of(rates(series, 100'000)); }), 0);
  for (int window : {1, 2, 5, 8}) {
    EXPECT_EQ(leaks([&](auto series) {
                return rows_of(without_wild_readings(series, {.window = window, .k = 2}));
              }),
              0);
  }
  for (int lag : {1, 3}) {
    for (WallMs window_ms : {0, 700, 10'000}) {
      EXPECT_EQ(leaks([&](auto series) {
                  return rows_of(rolling_features(series, {.window_ms = window_ms, .lag = lag}));
                }),
                0);
    }
  }
}

TEST(Truncation, ALeakWouldBeSeen) {
  const auto centred = [](std::span<const Reading> series) {
    Rows rows;
    for (std::size_t i = 0; i < series.size(); ++i) {
      rows.push_back({std::max(series[i].value, series[std::min(i + 1, series.size() - 1)].value)});
    }
    return rows;
  };
  EXPECT_GT(leaks(centred), 250);
}

TEST(Rollup, SumsAGaugeUp) {
  Rollup rollup;
  EXPECT_TRUE(rollup.empty());
  EXPECT_TRUE(std::isnan(rollup.summary().mean));
  for (double value : {4.0, kNoReading, 1.0, kInfinite, 7.0}) rollup.add(value);
  const Summary summary = rollup.summary();
  EXPECT_EQ(summary.readings, 3);
  EXPECT_EQ(summary.gaps, 2);
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.mean, 4);
  EXPECT_EQ(summary.max, 7);
  EXPECT_EQ(summary.last, 7);
  EXPECT_TRUE(std::isnan(summary.sum));
}

TEST(Rollup, AMeanLiesWithinWhatItIsOf) {
  Rollup rollup;
  for (int i = 0; i < 10; ++i) rollup.add(0.1);  // 0.09999999999999999, as doubles go
  EXPECT_EQ(rollup.summary().mean, 0.1);
}

TEST(Rollup, ACountersMeanIsOverTime) {
  Rollup rollup;
  rollup.add(CounterStep{10, 1});
  rollup.add(CounterStep{});
  rollup.add(CounterStep{90, 9});
  rollup.add(CounterStep{200, 10});
  const Summary summary = rollup.summary();
  EXPECT_EQ(summary.sum, 300);
  EXPECT_EQ(summary.mean, 15);
  EXPECT_EQ(summary.min, 10);
  EXPECT_EQ(summary.max, 20);
  EXPECT_EQ(summary.gaps, 1);
}

TEST(Rollup, EachClassHasItsNumber) {
  const Summary summary{3, 0, 1, 2, 3, 2.5, 6};
  const auto number = [&](MetricClass of, Behavior behavior) {
    Metric metric;
    metric.of = of;
    metric.behavior = behavior;
    return by_class(summary, metric);
  };
  EXPECT_EQ(number(MetricClass::Compute, Behavior::Gauge), 2);
  EXPECT_EQ(number(MetricClass::Memory, Behavior::Gauge), 2.5);
  EXPECT_EQ(number(MetricClass::Network, Behavior::Counter), 6);
  EXPECT_EQ(number(MetricClass::Network, Behavior::Gauge), 2.5);
  EXPECT_EQ(number(MetricClass::Power, Behavior::Counter), 2);
  EXPECT_EQ(number(MetricClass::Application, Behavior::Gauge), 2.5);
}

TEST(MinuteRollup, GivesEachMinuteOnce) {
  MinuteRollup minutes(2, 100);
  minutes.add(0, 59'000, 1.0);
  minutes.add(0, 60'000, 2.0);
  minutes.add(0, 119'999, 4.0);
  minutes.add(1, 61'000, kNoReading);
  std::vector<MinuteRow> rows = minutes.take(119'999);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].minute_ms, 0);
  EXPECT_EQ(rows[0].summary.last, 1);
  rows = minutes.take(120'000);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].minute_ms, 60'000);
  EXPECT_EQ(rows[0].summary.mean, 3);
  EXPECT_EQ(rows[0].summary.readings, 2);
  EXPECT_EQ(rows[1].metric, 1u);
  EXPECT_EQ(rows[1].summary.gaps, 1);
  EXPECT_TRUE(minutes.take(1'000'000).empty());
}

TEST(MinuteRollup, KeepsAsMuchAsItMay) {
  MinuteRollup minutes(1, 3);
  for (int minute = -5; minute < 5; ++minute) minutes.add(0, minute * 60'000 + 1, 1.0 * minute);
  const std::vector<MinuteRow> rows = minutes.take(10'000'000);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(minutes.dropped(), 7u);
  EXPECT_EQ(rows[0].minute_ms, 2 * 60'000);
}

TEST(MinuteRollup, AMinuteThatComesAgainHasTwoRows) {
  MinuteRollup minutes(1, 100);
  minutes.add(0, 60'000, 1.0);
  minutes.add(0, 0, 2.0);
  minutes.add(0, 60'000, 3.0);
  const std::vector<MinuteRow> rows = minutes.take(120'000);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].minute_ms, 60'000);
  EXPECT_EQ(rows[2].minute_ms, 60'000);
  EXPECT_EQ(rows[2].summary.mean, 3);
}

}  // namespace
}  // namespace hyades
