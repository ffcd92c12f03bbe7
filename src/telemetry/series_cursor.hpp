// How readings that follow one another are written down: only what changes.
//
// A reading is a varint, and perhaps a second one:
//   first   bit 0: the second number is there; bit 1: this is a gap;
//           the rest: the value's difference to the last one that was no gap, its sign folded (0 in
//           a gap)
//   second  by how much the step in time differs from the step before, its sign folded, never 0
// Before the first reading everything is 0, and the step up to it does not count as one. So a
// steady reading at a steady period takes one byte, an unsteady one two or three.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace hyades {

class SeriesCursor {
 public:
  struct Entry {
    WallMs at_ms = 0;
    std::optional<std::int64_t> quantum;  // absent: a gap
  };

  // Years 1970 plus or minus some hundred thousand: no difference of two can overflow.
  static constexpr WallMs kTimeMax = WallMs{1} << 53;
  static bool is_time(WallMs at_ms) { return at_ms >= -kTimeMax && at_ms <= kTimeMax; }

  // The time must be one, the quantum within Quantiser::kQuantumMax.
  void write(const Entry& entry, std::string& bytes);

  // Takes one entry off the front; false, and the cursor is of no more use, for what write() never
  // writes.
  bool read(std::string_view& bytes, Entry& entry);

 private:
  void advance(WallMs at_ms, WallMs step_ms);

  WallMs at_ms_ = 0;
  WallMs step_ms_ = 0;
  std::int64_t quantum_ = 0;
  bool begun_ = false;
};

}  // namespace hyades
