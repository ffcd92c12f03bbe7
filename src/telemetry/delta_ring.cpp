#include "telemetry/delta_ring.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {
namespace {

// A block and what the deque and the allocator add to it.
constexpr std::size_t kOverheadBytes = 128;

}  // namespace

DeltaRing::DeltaRing(double resolution, std::size_t bytes_max, WallMs retention_ms)
    : quantiser_(resolution),
      blocks_max_(std::max<std::size_t>(bytes_max / (kBlockBytes + kOverheadBytes), 2)),
      retention_ms_(std::clamp<WallMs>(retention_ms, 0, SeriesCursor::kTimeMax)) {
  static_assert(sizeof(Block) <= kOverheadBytes);
}

void DeltaRing::push(const Reading& reading) {
  if (!SeriesCursor::is_time(reading.at_ms)) {
    ++refused_;
    return;
  }
  const SeriesCursor::Entry entry{reading.at_ms, quantiser_.to_quantum(reading.value)};
  if (!entry.quantum && !std::isnan(reading.value)) ++refused_;
  if (blocks_.empty() || !append(entry)) {
    if (blocks_.size() == blocks_max_) {
      size_ -= blocks_.front().count;
      blocks_.pop_front();
    }
    blocks_.emplace_back().bytes.reserve(kBlockBytes);
    append(entry);
  }
  drop_old(reading.at_ms);
}

// To the newest block; false when it is full.
bool DeltaRing::append(const SeriesCursor::Entry& entry) {
  Block& block = blocks_.back();
  SeriesCursor cursor = block.cursor;
  std::string bytes;  // short enough to need no allocation, but for a block's first
  cursor.write(entry, bytes);
  if (block.bytes.size() + bytes.size() > kBlockBytes) return false;
  block.bytes += bytes;
  block.cursor = cursor;
  block.latest_ms = block.count == 0 ? entry.at_ms : std::max(block.latest_ms, entry.at_ms);
  ++block.count;
  ++size_;
  return true;
}

// Never all: the newest block has a reading of now.
void DeltaRing::drop_old(WallMs now_ms) {
  while (blocks_.front().latest_ms < now_ms - retention_ms_) {
    size_ -= blocks_.front().count;
    blocks_.pop_front();
  }
}

Series DeltaRing::since(WallMs since_ms) const {
  Series series;
  series.resolution = quantiser_.resolution();
  each(since_ms, [&](const Reading& reading) { series.readings.push_back(reading); });
  return series;
}

std::size_t DeltaRing::bytes() const { return blocks_.size() * (kBlockBytes + kOverheadBytes); }

std::size_t DeltaRing::bytes_used() const {
  std::size_t used = 0;
  for (const Block& block : blocks_) used += block.bytes.size();
  return used;
}

}  // namespace hyades
