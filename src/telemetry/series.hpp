// A metric's readings in the order in which they were taken, and as bytes to send and to keep:
//   1 byte   version, 1
//   8 bytes  resolution, an IEEE double, little endian
//   varint   number of readings
//   the readings, as SeriesCursor writes them
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "telemetry/reading.hpp"

namespace hyades {

struct Series {
  double resolution = 1;
  std::vector<Reading> readings;
};

// More is neither written (the newest are) nor read.
constexpr std::size_t kSeriesReadingsMax = 1u << 20;

// Values are kept as multiples of the resolution; what cannot be kept becomes a gap. Readings at
// impossible times are left out.
std::string encode(const Series& series);

// Believes nothing. False, and `series` unchanged, unless these are bytes that encode() gives.
// Allocates no more than 16 bytes a byte.
bool decode(std::string_view bytes, Series& series);

}  // namespace hyades
