// Readings as they are kept and sent: nothing is lost but what is finer than the resolution, gaps
// stay gaps, memory stays bounded, and foreign bytes do no harm.
#include "telemetry/series.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/prng.hpp"
#include "telemetry/bounded_series.hpp"
#include "telemetry/delta_ring.hpp"
#include "telemetry/quantiser.hpp"
#include "telemetry/varint.hpp"

namespace hyades {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr WallMs kHourMs = 3'600'000;

// A walk with jumps and gaps, at a period that is not quite kept.
std::vector<Reading> walk(Prng& prng, std::size_t count, double resolution) {
  std::vector<Reading> readings;
  WallMs at_ms = 1'700'000'000'000;
  std::int64_t quantum = prng.between(-1000, 1000);
  for (std::size_t i = 0; i < count; ++i) {
    at_ms += prng.chance(100) ? prng.skewed(1, 100'000) : prng.between(98, 102);
    quantum += prng.chance(20) ? prng.between(-(1ll << 40), 1ll << 40) : prng.between(-9, 9);
    const bool gap = prng.chance(50);
    readings.push_back({at_ms, gap ? kNoReading : Quantiser(resolution).to_value(quantum)});
  }
  return readings;
}

void expect_same(const std::vector<Reading>& found, const std::vector<Reading>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].at_ms, expected[i].at_ms) << i;
    ASSERT_EQ(std::isnan(found[i].value), std::isnan(expected[i].value)) << i;
    if (std::isnan(expected[i].value)) continue;
    ASSERT_EQ(found[i].value, expected[i].value) << i;
  }
}

TEST(Varint, EveryNumberHasOneForm) {
  for (std::uint64_t value : {0ull, 1ull, 127ull, 128ull, 300ull, 1ull << 63, ~0ull}) {
    std::string bytes;
    put_varint(bytes, value);
    std::uint64_t found = 1;
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      std::string_view part = std::string_view(bytes).substr(0, cut);
      EXPECT_FALSE(get_varint(part, found)) << value;
    }
    std::string_view all = bytes;
    EXPECT_TRUE(get_varint(all, found));
    EXPECT_EQ(found, value);
    EXPECT_TRUE(all.empty());
  }
  std::uint64_t found = 0;
  for (const std::string& bad : {std::string("\x80\x00", 2), std::string(10, '\xff'),
                                 std::string(9, '\xff') + '\x02', std::string(11, '\x80')}) {
    std::string_view bytes = bad;
    EXPECT_FALSE(get_varint(bytes, found));
  }
  for (std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(unfold_sign(fold_sign(value)), value);
  }
}

TEST(Quantiser, GivesBackWhatItKept) {
  Prng prng(1);
  for (double resolution : {1e-12, 1e-6, 0.001, 0.01, 0.1, 0.3, 1.0, 4.0, 1024.0, 1e12}) {
    const Quantiser quantiser(resolution);
    const std::int64_t most = Quantiser::kQuantumMax;
    std::vector<std::int64_t> quanta = {0, 1, -1, most, -most, most - 1, 1 - most};
    for (int i = 0; i < 2000; ++i) quanta.push_back(prng.between(-most, most));
    for (std::int64_t quantum : quanta) {
      ASSERT_EQ(quantiser.to_quantum(quantiser.to_value(quantum)), quantum) << resolution;
    }
  }
  EXPECT_EQ(Quantiser(0.1).to_value(3), 0.3);
  EXPECT_EQ(Quantiser(0.25).to_quantum(1.1), 4);
}

TEST(Quantiser, RefusesWhatItCannotHold) {
  const Quantiser quantiser(0.5);
  for (double value : {kNoReading, kInfinite, -kInfinite, 1e300, -1e300, 1e16}) {
    EXPECT_FALSE(quantiser.to_quantum(value)) << value;
  }
  for (double resolution : {0.0, -1.0, kNoReading, kInfinite, 1e-300, 1e300}) {
    EXPECT_EQ(Quantiser(resolution).resolution(), 1) << resolution;
  }
}

TEST(Series, ComesBackFromItsBytes) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Prng prng(seed);
    const double resolution = seed % 2 ? 0.01 : 4096;
    const Series series{resolution, walk(prng, prng.below(500), resolution)};
    Series found;
    ASSERT_TRUE(decode(encode(series), found)) << seed;
    EXPECT_EQ(found.resolution, resolution);
    expect_same(found.readings, series.readings);
  }
}

TEST(Series, SteadyReadingsTakeAByte) {
  Series series{1, {}};
  for (int i = 0; i < 1000; ++i) series.readings.push_back({100 * i, 50.0 + i % 3});
  EXPECT_LT(encode(series).size(), 1020u);
}

TEST(Series, TheFirstStepIsNotThatFromTheBeginningOfTime) {
  const WallMs now_ms = 1'700'000'000'000;
  EXPECT_LE(encode({1, {{now_ms, 1}, {now_ms + 100, 1}, {now_ms + 200, 1}}}).size(), 21u);
}

std::string with_words(std::initializer_list<std::uint64_t> words, std::uint64_t count) {
  std::string bytes = encode({1, {}});
  bytes.back() = static_cast<char>(count);
  for (std::uint64_t word : words) put_varint(bytes, word);
  return bytes;
}

TEST(Series, RefusesWhatNobodyWrites) {
  Series found;
  const std::uint64_t most = fold_sign(Quantiser::kQuantumMax) << 2;
  EXPECT_TRUE(decode(with_words({most}, 1), found));
  EXPECT_FALSE(decode(with_words({most, 2 << 2}, 2), found));
  const std::uint64_t edge = fold_sign(SeriesCursor::kTimeMax);
  EXPECT_TRUE(decode(with_words({1, edge}, 1), found));
  EXPECT_FALSE(decode(with_words({1, edge, 1, fold_sign(1)}, 2), found));
  EXPECT_FALSE(decode(with_words({1, ~0ull}, 1), found));
  EXPECT_FALSE(decode(with_words({1, 0}, 1), found));        // a change of nothing
  EXPECT_FALSE(decode(with_words({2 | 1 << 2}, 1), found));  // a gap with a value
}

TEST(Series, KeepsToTheEdgeOfTime) {
  const WallMs edge = SeriesCursor::kTimeMax;
  const double most = static_cast<double>(Quantiser::kQuantumMax);
  const Series series{1, {{edge, most}, {-edge, -most}, {edge, most}, {-edge, kNoReading}}};
  Series found;
  ASSERT_TRUE(decode(encode(series), found));
  expect_same(found.readings, series.readings);
  ASSERT_TRUE(decode(encode({1, {{edge + 1, 1}, {0, 2}, {-edge - 1, 3}}}), found));
  expect_same(found.readings, {{0, 2}});
}

TEST(Series, RefusesEveryCutAndEveryFlippedBitWithoutHarm) {
  Prng prng(7);
  const std::string bytes = encode({0.5, walk(prng, 60, 0.5)});
  Series found{3, {{1, 2}}};
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, cut), found)) << cut;
  }
  EXPECT_FALSE(decode(bytes + '\0', found));
  expect_same(found.readings, {{1, 2}});
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    if (decode(flipped, found)) {
      EXPECT_EQ(encode(found), flipped) << bit;
    }
  }
}

TEST(Series, BelievesNoCount) {
  std::string bytes = encode({1, {}});
  bytes.pop_back();
  put_varint(bytes, std::uint64_t{1} << 60);
  Series found;
  EXPECT_FALSE(decode(bytes + std::string(100, '\0'), found));
}

TEST(DeltaRing, KeepsAnHourExactly) {
  Prng prng(3);
  const std::vector<Reading> readings = walk(prng, 36'000, 0.01);
  DeltaRing ring(0.01, 1u << 20, 100 * kHourMs);
  for (const Reading& reading : readings) ring.push(reading);
  expect_same(ring.since(0).readings, readings);
  EXPECT_EQ(ring.size(), readings.size());
  EXPECT_EQ(ring.refused(), 0u);
  EXPECT_GE(ring.bytes(), ring.bytes_used());
  const WallMs middle = readings[20'000].at_ms;
  expect_same(ring.since(middle).readings, {readings.begin() + 20'000, readings.end()});
  expect_same(ring.since(readings.back().at_ms + 1).readings, {});
}

TEST(DeltaRing, RoundsToTheResolution) {
  DeltaRing ring(0.25, 4096, kHourMs);
  ring.push({1, 1.1});
  ring.push({2, 1.2});
  expect_same(ring.since(0).readings, {{1, 1.0}, {2, 1.25}});
}

TEST(DeltaRing, DropsTheOldestWhenItIsFull) {
  Prng prng(5);
  constexpr std::size_t bytes_max = 8 * 1024;
  DeltaRing ring(1, bytes_max, 1000 * kHourMs);
  const std::vector<Reading> readings = walk(prng, 50'000, 1);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    ring.push(readings[i]);
    ASSERT_LE(ring.bytes(), bytes_max);
  }
  const auto kept = static_cast<std::ptrdiff_t>(ring.size());
  EXPECT_GT(kept, 1000);
  expect_same(ring.since(0).readings, {readings.end() - kept, readings.end()});
}

TEST(DeltaRing, ForgetsWhatIsTooOld) {
  DeltaRing ring(1, 1u << 20, 60'000);
  for (int i = 0; i < 10'000; ++i) ring.push({100 * i, i * 1000.0});
  const Series kept = ring.since(0);
  EXPECT_EQ(kept.readings.size(), ring.size());
  EXPECT_LE(kept.readings.front().at_ms, 999'900 - 60'000);
  EXPECT_GE(kept.readings.front().at_ms, 999'900 - 60'000 - DeltaRing::kBlockBytes * 100);
  ring.push({10 * kHourMs, 1});  // the clock was set forward
  EXPECT_LE(ring.size(), DeltaRing::kBlockBytes);
}

TEST(DeltaRing, ReadsOnWhenTheClockIsSetBack) {
  DeltaRing ring(1, 4096, kHourMs);
  ring.push({5000, 1});
  ring.push({1000, 2});
  ring.push({2000, 3});
  expect_same(ring.since(0).readings, {{5000, 1}, {1000, 2}, {2000, 3}});
  expect_same(ring.since(2000).readings, {{5000, 1}, {2000, 3}});
  expect_same(ring.since(3000).readings, {{5000, 1}});
}

TEST(DeltaRing, CountsWhatNoRingCanHold) {
  DeltaRing ring(1, 4096, kHourMs);
  const WallMs never = std::numeric_limits<WallMs>::max();
  for (double value : {kInfinite, -kInfinite, 1e300}) ring.push({1, value});
  EXPECT_EQ(ring.refused(), 3u);
  ring.push({1, kNoReading});
  EXPECT_EQ(ring.refused(), 3u);
  EXPECT_EQ(ring.size(), 4u);
  ring.push({never, 1});
  ring.push({-never, 1});
  EXPECT_EQ(ring.refused(), 5u);
  expect_same(ring.since(0).readings, std::vector<Reading>(4, {1, kNoReading}));
}

TEST(DeltaRing, ARingOfNothingStillKeepsTheLatest) {
  DeltaRing ring(1, 0, 0);
  for (int i = 0; i < 5000; ++i) ring.push({i, i * 1e9});
  EXPECT_EQ(ring.since(0).readings.back().value, 4999e9);
}

TEST(BoundedSeries, HoldsARunOfAnyLength) {
  BoundedSeries series(1, 8, 1000);
  for (int second = 0; second < 100; ++second) series.add(second * 1000, second);
  ASSERT_LE(series.buckets().size(), 8u);
  EXPECT_EQ(series.width_ms(), 16'000);
  std::int64_t readings = 0;
  for (std::size_t i = 0; i < series.buckets().size(); ++i) {
    const BoundedSeries::Bucket& bucket = series.buckets()[i];
    EXPECT_EQ(bucket.min, 16.0 * static_cast<double>(i));
    EXPECT_EQ(bucket.max, std::min(bucket.min + 15, 99.0));
    EXPECT_NEAR(bucket.mean, (bucket.min + bucket.max) / 2, 1e-9);
    readings += bucket.readings;
  }
  EXPECT_EQ(readings, 100);
}

TEST(BoundedSeries, BucketsWithoutReadingsAreGaps) {
  BoundedSeries series(1, 8, 1000);
  series.add(0, 5);
  series.add(3000, kNoReading);
  series.add(4500, 7);
  ASSERT_EQ(series.buckets().size(), 5u);
  EXPECT_EQ(series.buckets()[3].readings, 0);
  EXPECT_TRUE(std::isnan(series.buckets()[3].mean));
  series.add(15'000, 1);  // 0 and 1 become one, and so on
  EXPECT_EQ(series.buckets()[0].mean, 5);
  EXPECT_TRUE(std::isnan(series.buckets()[1].max));
  EXPECT_EQ(series.buckets()[2].mean, 7);
}

TEST(BoundedSeries, RefusesNonsense) {
  BoundedSeries series(1, 8, 1000);
  series.add(-1, 1);
  series.add(std::numeric_limits<std::int64_t>::max(), 1);
  series.add(1, kInfinite);
  series.add(1, 1e300);
  EXPECT_EQ(series.refused(), 4u);
  EXPECT_TRUE(series.buckets().empty());
  series.add(std::int64_t{1} << 48, 1);
  EXPECT_EQ(series.buckets().size(), 5u);  // of a width of 2^46
}

TEST(BoundedSeries, ComesBackFromItsBytesAndGoesOn) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Prng prng(seed);
    BoundedSeries series(0.1, static_cast<int>(prng.between(2, 128)), prng.between(1, 5000));
    std::int64_t at_ms = 0;
    for (std::uint64_t i = prng.below(400); i > 0; --i) {
      series.add(at_ms += prng.skewed(1, 20'000), static_cast<double>(prng.between(-500, 500)));
    }
    const std::string bytes = series.encode();
    std::optional<BoundedSeries> found = BoundedSeries::decode(bytes);
    ASSERT_TRUE(found) << seed;
    EXPECT_EQ(found->encode(), bytes) << seed;
    EXPECT_EQ(found->width_ms(), series.width_ms());
    found->add(at_ms, 1);
    series.add(at_ms, 1);
    ASSERT_EQ(found->buckets().size(), series.buckets().size());
    for (std::size_t i = 0; i < series.buckets().size(); ++i) {
      const BoundedSeries::Bucket& left = found->buckets()[i];
      const BoundedSeries::Bucket& right = series.buckets()[i];
      ASSERT_EQ(left.readings, right.readings);
      if (left.readings == 0) continue;
      ASSERT_EQ(left.min, right.min);
      ASSERT_EQ(left.max, right.max);
      ASSERT_NEAR(left.mean, right.mean, 0.05 + 1e-9);
    }
  }
}

TEST(BoundedSeries, RefusesForeignBytesWithoutHarm) {
  BoundedSeries series(1, 16, 1000);
  for (int i = 0; i < 40; ++i) series.add(i * 700, i % 7);
  const std::string bytes = series.encode();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(BoundedSeries::decode(std::string_view(bytes).substr(0, cut))) << cut;
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto found = BoundedSeries::decode(flipped);
    if (found) {
      EXPECT_EQ(found->encode(), flipped) << bit;
    }
  }
}

using Column = std::vector<double>;

std::optional<BoundedSeries> read_columns(std::uint64_t points, const std::vector<Column>& columns,
                                          double highest_resolution = 1) {
  std::string bytes(1, '\1');
  put_varint(bytes, points);
  put_varint(bytes, 1000);
  for (const Column& column : columns) {
    Series series{&column == &columns[2] ? highest_resolution : 1, {}};
    for (double value : column) {
      series.readings.push_back({static_cast<WallMs>(series.readings.size()) * 1000, value});
    }
    const std::string part = encode(series);
    put_varint(bytes, part.size());
    bytes += part;
  }
  return BoundedSeries::decode(bytes);
}

TEST(BoundedSeries, RefusesColumnsThatContradictEachOther) {
  const double none = kNoReading;
  const Column low = {1, none, 3};
  const Column high = {5, none, 7};
  EXPECT_TRUE(read_columns(4, {low, low, high, {2, 0, 2}}));
  EXPECT_FALSE(read_columns(2, {low, low, high, {2, 0, 2}})) << "too many";
  EXPECT_FALSE(read_columns(5, {low, low, high, {2, 0, 2}})) << "an odd number of points";
  EXPECT_FALSE(read_columns(4, {low, low, high, {2, 0}})) << "one is shorter";
  EXPECT_FALSE(read_columns(4, {high, low, high, {2, 0, 2}})) << "the lowest is above the mean";
  EXPECT_FALSE(read_columns(4, {low, high, low, {2, 0, 2}})) << "the highest is below it";
  EXPECT_FALSE(read_columns(4, {low, low, high, {2, 1, 2}})) << "a reading that is a gap";
  EXPECT_FALSE(read_columns(4, {low, low, high, {2, 0, 0}})) << "a value without a reading";
  EXPECT_FALSE(read_columns(4, {low, low, high, {2, 0, -2}})) << "fewer than none";
  EXPECT_FALSE(read_columns(4, {low, low, high, {2, 0, none}})) << "no number of readings";
  EXPECT_FALSE(read_columns(4, {{1, none}, {1, none}, {1, none}, {1, 0}})) << "a last gap";
  EXPECT_FALSE(read_columns(4, {low, low, high, {2, 0, 2}}, 0.5)) << "two resolutions";
}

}  // namespace
}  // namespace hyades
