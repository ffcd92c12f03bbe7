#include "telemetry/minute_rollup.hpp"

namespace hyades {
namespace {

constexpr WallMs kMinuteMs = 60'000;

WallMs minute_of(WallMs now_ms) {
  const WallMs past_ms = now_ms % kMinuteMs;
  return now_ms - (past_ms < 0 ? past_ms + kMinuteMs : past_ms);
}

}  // namespace

void MinuteRollup::close(std::size_t metric) {
  Open& open = open_[metric];
  if (open.rollup.empty()) return;
  rows_.push_back({metric, open.minute_ms, open.rollup.summary()});
  open.rollup = Rollup();
  if (rows_.size() <= rows_max_) return;
  rows_.pop_front();
  ++dropped_;
}

void MinuteRollup::enter(std::size_t metric, WallMs now_ms) {
  const WallMs minute_ms = minute_of(now_ms);
  if (open_[metric].minute_ms != minute_ms) close(metric);
  open_[metric].minute_ms = minute_ms;
}

std::vector<MinuteRow> MinuteRollup::take(WallMs now_ms) {
  for (std::size_t metric = 0; metric < open_.size(); ++metric) {
    if (open_[metric].minute_ms != minute_of(now_ms)) close(metric);
  }
  std::vector<MinuteRow> rows(rows_.begin(), rows_.end());
  rows_.clear();
  return rows;
}

}  // namespace hyades
