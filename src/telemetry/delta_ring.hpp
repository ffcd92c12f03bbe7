// The latest readings of one metric, compressed: a hundred milliseconds' readings of an hour take
// some 70 KB. Blocks of a fixed size, each readable without the others; the oldest goes when there
// are too many bytes or it is too old.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "telemetry/quantiser.hpp"
#include "telemetry/series.hpp"
#include "telemetry/series_cursor.hpp"

namespace hyades {

class DeltaRing {
 public:
  static constexpr std::size_t kBlockBytes = 512;

  // bytes() stays below `bytes_max`, or two blocks if that is less. Readings older than
  // `retention_ms`, seen from the newest, are dropped a block at a time.
  DeltaRing(double resolution, std::size_t bytes_max, WallMs retention_ms);

  // kNoReading is kept as a gap. So is what is no number or too large for the resolution, which
  // refused() counts; a reading at an impossible time is only counted. Times may go backwards (an
  // admin sets the clock): what was kept stays in the order in which it came.
  void push(const Reading& reading);

  // Calls visit(Reading) for each reading that is kept and was taken at `since_ms` or later, in the
  // order in which they came. Values are multiples of the resolution.
  template <typename Visit>
  void each(WallMs since_ms, Visit&& visit) const {
    for (const Block& block : blocks_) {
      if (block.latest_ms >= since_ms) read(block, since_ms, visit);
    }
  }
  Series since(WallMs since_ms) const;

  std::size_t size() const { return size_; }  // readings and gaps that are kept
  std::size_t bytes() const;                  // of memory
  std::size_t bytes_used() const;             // by readings
  std::uint64_t refused() const { return refused_; }

 private:
  struct Block {
    std::string bytes;
    SeriesCursor cursor;
    std::size_t count = 0;
    WallMs latest_ms = 0;
  };

  template <typename Visit>
  void read(const Block& block, WallMs since_ms, Visit& visit) const {
    SeriesCursor cursor;
    SeriesCursor::Entry entry;
    for (std::string_view bytes = block.bytes; !bytes.empty() && cursor.read(bytes, entry);) {
      if (entry.at_ms < since_ms) continue;
      visit(Reading{entry.at_ms, entry.quantum ? quantiser_.to_value(*entry.quantum) : kNoReading});
    }
  }
  bool append(const SeriesCursor::Entry& entry);
  void drop_old(WallMs now_ms);

  Quantiser quantiser_;
  std::size_t blocks_max_;
  WallMs retention_ms_;
  std::deque<Block> blocks_;
  std::size_t size_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace hyades
