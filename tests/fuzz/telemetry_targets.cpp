// Targets for what nodes say of themselves: series of readings.
#include "core/assert.hpp"
#include "fuzz_targets.hpp"
#include "telemetry/bounded_series.hpp"
#include "telemetry/series.hpp"

namespace hyades::fuzz {

void fuzz_series(std::string_view bytes) {
  Series series;
  if (decode(bytes, series)) HYADES_ASSERT(encode(series) == bytes);
  std::optional<BoundedSeries> bounded = BoundedSeries::decode(bytes);
  if (!bounded) return;
  HYADES_ASSERT(bounded->encode() == bytes);
  // Whatever was read, a run goes on from it.
  for (std::int64_t since_ms = 1; since_ms < std::int64_t{1} << 40; since_ms *= 32) {
    bounded->add(since_ms, 1);
  }
  HYADES_ASSERT(BoundedSeries::decode(bounded->encode()).has_value());
}

}  // namespace hyades::fuzz
