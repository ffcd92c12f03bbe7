#include "telemetry/series.hpp"

#include <bit>
#include <cstdint>

#include "telemetry/quantiser.hpp"
#include "telemetry/series_cursor.hpp"
#include "telemetry/varint.hpp"

namespace hyades {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHeadBytes = 1 + sizeof(double);

void put_double(std::string& bytes, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int i = 0; i < 64; i += 8) bytes.push_back(static_cast<char>(bits >> i));
}

double get_double(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof bits; ++i) {
    bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return std::bit_cast<double>(bits);
}

}  // namespace

std::string encode(const Series& series) {
  const Quantiser quantiser(series.resolution);
  const auto& all = series.readings;
  const std::size_t skipped = all.size() > kSeriesReadingsMax ? all.size() - kSeriesReadingsMax : 0;
  std::string body;
  std::size_t count = 0;
  SeriesCursor cursor;
  for (std::size_t i = skipped; i < all.size(); ++i) {
    if (!SeriesCursor::is_time(all[i].at_ms)) continue;
    cursor.write({all[i].at_ms, quantiser.to_quantum(all[i].value)}, body);
    ++count;
  }
  std::string bytes(1, kVersion);
  put_double(bytes, quantiser.resolution());
  put_varint(bytes, count);
  return bytes + body;
}

bool decode(std::string_view bytes, Series& series) {
  if (bytes.size() < kHeadBytes || bytes.front() != kVersion) return false;
  Series found;
  found.resolution = get_double(bytes.substr(1));
  if (!Quantiser::is_resolution(found.resolution)) return false;
  bytes.remove_prefix(kHeadBytes);
  std::uint64_t count = 0;
  // A reading takes a byte at least.
  if (!get_varint(bytes, count) || count > bytes.size() || count > kSeriesReadingsMax) return false;
  found.readings.reserve(count);
  const Quantiser quantiser(found.resolution);
  SeriesCursor cursor;
  for (std::uint64_t i = 0; i < count; ++i) {
    SeriesCursor::Entry entry;
    if (!cursor.read(bytes, entry)) return false;
    found.readings.push_back(
        {entry.at_ms, entry.quantum ? quantiser.to_value(*entry.quantum) : kNoReading});
  }
  if (!bytes.empty()) return false;
  series = std::move(found);
  return true;
}

}  // namespace hyades
