#include "telemetry/bounded_series.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "telemetry/quantiser.hpp"
#include "telemetry/series.hpp"
#include "telemetry/varint.hpp"

namespace hyades {
namespace {

using Bucket = BoundedSeries::Bucket;

constexpr char kVersion = 1;
constexpr std::int64_t kSinceMaxMs = std::int64_t{1} << 48;  // some nine thousand years
enum Column { Lowest, Mean, Highest, Readings, kColumns };

double column_of(const Bucket& bucket, int column) {
  switch (column) {
    case Lowest:
      return bucket.min;
    case Mean:
      return bucket.mean;
    case Highest:
      return bucket.max;
    default:
      return static_cast<double>(bucket.readings);
  }
}

// What is added may stand for several readings. A mean of doubles may come to lie a little outside
// of what it is a mean of; it is put back.
void merge(Bucket& into, const Bucket& added) {
  if (added.readings == 0) return;
  if (into.readings == 0) {
    into = added;
    return;
  }
  into.readings += added.readings;
  into.min = std::min(into.min, added.min);
  into.max = std::max(into.max, added.max);
  const double part = static_cast<double>(added.readings) / static_cast<double>(into.readings);
  into.mean = std::clamp(into.mean + (added.mean - into.mean) * part, into.min, into.max);
}

// Whether encode() could have been given this.
bool is_sound(const Bucket& bucket) {
  if (bucket.readings == 0) {
    return std::isnan(bucket.min) && std::isnan(bucket.mean) && std::isnan(bucket.max);
  }
  return bucket.readings > 0 && bucket.min <= bucket.mean && bucket.mean <= bucket.max;
}

}  // namespace

BoundedSeries::BoundedSeries(double resolution, int points, std::int64_t width_ms)
    : resolution_(Quantiser(resolution).resolution()),
      points_(static_cast<std::size_t>(std::clamp(points, 2, kPointsMax)) / 2 * 2),
      width_ms_(std::clamp<std::int64_t>(width_ms, 1, kSinceMaxMs)) {}

void BoundedSeries::halve() {
  const std::size_t halved = (buckets_.size() + 1) / 2;
  for (std::size_t i = 0; i < halved; ++i) {
    Bucket both = buckets_[2 * i];
    if (2 * i + 1 < buckets_.size()) merge(both, buckets_[2 * i + 1]);
    buckets_[i] = both;
  }
  buckets_.resize(halved);
  width_ms_ *= 2;
}

void BoundedSeries::add(std::int64_t since_ms, double value) {
  if (std::isnan(value)) return;
  if (since_ms < 0 || since_ms > kSinceMaxMs || !Quantiser(resolution_).to_quantum(value)) {
    ++refused_;
    return;
  }
  while (static_cast<std::size_t>(since_ms / width_ms_) >= points_) halve();
  const auto at = static_cast<std::size_t>(since_ms / width_ms_);
  if (buckets_.size() <= at) buckets_.resize(at + 1);
  merge(buckets_[at], {1, value, value, value});
}

std::string BoundedSeries::encode() const {
  std::string bytes(1, kVersion);
  put_varint(bytes, points_);
  put_varint(bytes, static_cast<std::uint64_t>(width_ms_));
  for (int column = 0; column < kColumns; ++column) {
    Series series;
    series.resolution = column == Readings ? 1 : resolution_;
    for (const Bucket& bucket : buckets_) {
      const auto at_ms = static_cast<WallMs>(series.readings.size()) * width_ms_;
      series.readings.push_back({at_ms, column_of(bucket, column)});
    }
    const std::string part = hyades::encode(series);
    put_varint(bytes, part.size());
    bytes += part;
  }
  return bytes;
}

bool BoundedSeries::take_columns(std::string_view& bytes) {
  std::array<Series, kColumns> columns;
  for (Series& column : columns) {
    std::uint64_t size = 0;
    if (!get_varint(bytes, size) || size > bytes.size()) return false;
    if (!hyades::decode(bytes.substr(0, size), column)) return false;
    bytes.remove_prefix(size);
    const double resolution = &column == &columns[Readings] ? 1 : columns[Lowest].resolution;
    if (column.resolution != resolution) return false;
    if (column.readings.size() != columns[Lowest].readings.size()) return false;
    if (column.readings.size() > points_) return false;
    for (std::size_t i = 0; i < column.readings.size(); ++i) {
      if (column.readings[i].at_ms != static_cast<WallMs>(i) * width_ms_) return false;
    }
  }
  resolution_ = columns[Lowest].resolution;
  for (std::size_t i = 0; i < columns[Lowest].readings.size(); ++i) {
    const double readings = columns[Readings].readings[i].value;
    if (std::isnan(readings)) return false;
    buckets_.push_back({static_cast<std::int64_t>(readings), columns[Lowest].readings[i].value,
                        columns[Mean].readings[i].value, columns[Highest].readings[i].value});
    if (!is_sound(buckets_.back())) return false;
  }
  return buckets_.empty() || buckets_.back().readings > 0;
}

std::optional<BoundedSeries> BoundedSeries::decode(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kVersion) return std::nullopt;
  bytes.remove_prefix(1);
  std::uint64_t points = 0;
  std::uint64_t width_ms = 0;
  if (!get_varint(bytes, points) || points < 2 || points > kPointsMax || points % 2 != 0 ||
      !get_varint(bytes, width_ms) || width_ms < 1 || width_ms > kSinceMaxMs) {
    return std::nullopt;
  }
  BoundedSeries series(1, static_cast<int>(points), static_cast<std::int64_t>(width_ms));
  if (!series.take_columns(bytes) || !bytes.empty()) return std::nullopt;
  return series;
}

}  // namespace hyades
