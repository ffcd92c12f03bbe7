#include "telemetry/series_cursor.hpp"

#include "core/assert.hpp"
#include "telemetry/quantiser.hpp"
#include "telemetry/varint.hpp"

namespace hyades {
namespace {

constexpr std::uint64_t kUnsteady = 1;
constexpr std::uint64_t kGap = 2;
constexpr int kFlagBits = 2;

bool is_quantum(std::int64_t quantum) {
  return quantum >= -Quantiser::kQuantumMax && quantum <= Quantiser::kQuantumMax;
}

}  // namespace

void SeriesCursor::advance(WallMs at_ms, WallMs step_ms) {
  at_ms_ = at_ms;
  step_ms_ = begun_ ? step_ms : 0;
  begun_ = true;
}

void SeriesCursor::write(const Entry& entry, std::string& bytes) {
  HYADES_ASSERT(is_time(entry.at_ms));
  const WallMs step_ms = entry.at_ms - at_ms_;
  const WallMs change_ms = step_ms - step_ms_;
  std::uint64_t word = change_ms != 0 ? kUnsteady : 0;
  if (entry.quantum) {
    HYADES_ASSERT(is_quantum(*entry.quantum));
    word |= fold_sign(*entry.quantum - quantum_) << kFlagBits;
    quantum_ = *entry.quantum;
  } else {
    word |= kGap;
  }
  put_varint(bytes, word);
  if (change_ms != 0) put_varint(bytes, fold_sign(change_ms));
  advance(entry.at_ms, step_ms);
}

bool SeriesCursor::read(std::string_view& bytes, Entry& entry) {
  std::uint64_t word = 0;
  std::uint64_t folded_change = 0;
  if (!get_varint(bytes, word)) return false;
  if ((word & kUnsteady) && (!get_varint(bytes, folded_change) || folded_change == 0)) return false;
  // The sums below cannot overflow: none of their parts is beyond 2^62.
  const std::int64_t change_ms = unfold_sign(folded_change);
  if (change_ms < -4 * kTimeMax || change_ms > 4 * kTimeMax) return false;
  const WallMs step_ms = step_ms_ + change_ms;
  const WallMs at_ms = at_ms_ + step_ms;
  if (!is_time(at_ms)) return false;
  entry = {at_ms, std::nullopt};
  if (word & kGap) {
    if (word >> kFlagBits) return false;
  } else {
    const std::int64_t quantum = quantum_ + unfold_sign(word >> kFlagBits);
    if (!is_quantum(quantum)) return false;
    entry.quantum = quantum_ = quantum;
  }
  advance(at_ms, step_ms);
  return true;
}

}  // namespace hyades
