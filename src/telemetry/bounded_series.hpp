// A run of any length in at most so many points: the chart of a job. Points are buckets of equal
// width with the lowest, mean and highest reading; when the run outgrows them, every two become one
// and the width doubles.
//
// As bytes, to send and to keep:
//   1 byte  version, 1
//   varint  points at most; varint: milliseconds of a bucket
//   four series (see series.hpp), each after a varint with its size: the lowest, mean and highest
//   values with gaps where a bucket has no reading, and the numbers of readings. Reading i is at
//   i times the width. Buckets after the last one with a reading are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "telemetry/metric.hpp"

namespace hyades {

class BoundedSeries {
 public:
  struct Bucket {
    std::int64_t readings = 0;
    double min = kNoReading;
    double mean = kNoReading;
    double max = kNoReading;
  };

  static constexpr int kPointsMax = 4096;

  // `points` is made even and 2..kPointsMax, `width_ms` at least 1.
  explicit BoundedSeries(double resolution, int points = 128, std::int64_t width_ms = 1000);

  // `since_ms`: since the beginning of the run. kNoReading is nothing to a chart; a time before the
  // beginning or absurdly far behind it, and a value that the resolution cannot hold are refused
  // and counted.
  void add(std::int64_t since_ms, double value);

  std::int64_t width_ms() const { return width_ms_; }
  double resolution() const { return resolution_; }
  // Up to the last one with a reading.
  const std::vector<Bucket>& buckets() const { return buckets_; }
  std::uint64_t refused() const { return refused_; }

  std::string encode() const;
  // Believes nothing: absent unless these are bytes that encode() gives. More can be added to what
  // is read; means then go on from what the resolution kept of them.
  static std::optional<BoundedSeries> decode(std::string_view bytes);

 private:
  void halve();
  bool take_columns(std::string_view& bytes);

  double resolution_;
  std::size_t points_;
  std::int64_t width_ms_;
  std::vector<Bucket> buckets_;
  std::uint64_t refused_ = 0;
};

}  // namespace hyades
