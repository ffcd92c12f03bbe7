// What each metric was like in each minute of the wall clock; what a node tells its master.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "telemetry/rollup.hpp"

namespace hyades {

struct MinuteRow {
  std::size_t metric = 0;  // its number
  WallMs minute_ms = 0;    // when the minute began
  Summary summary;
};

class MinuteRollup {
 public:
  // Keeps at most `rows_max` rows that nobody took; the oldest go, and dropped() counts them.
  MinuteRollup(std::size_t metrics, std::size_t rows_max) : open_(metrics), rows_max_(rows_max) {}

  // A value, or a step of a counter, as Rollup::add() takes it. The first one of another minute
  // ends the metric's minute; when the clock was set back, that is a minute that was there before,
  // and it gets a second row.
  template <typename Reading>
  void add(std::size_t metric, WallMs now_ms, const Reading& reading) {
    enter(metric, now_ms);
    open_[metric].rollup.add(reading);
  }

  // The rows of minutes that are over, in the order in which they ended; each is given once. A
  // metric that nobody looked at during a minute has none for it. The first and the last minute of
  // a run are rarely whole: `readings` tells.
  std::vector<MinuteRow> take(WallMs now_ms);

  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Open {
    WallMs minute_ms = 0;
    Rollup rollup;
  };
  void enter(std::size_t metric, WallMs now_ms);
  void close(std::size_t metric);

  std::vector<Open> open_;
  std::deque<MinuteRow> rows_;
  std::size_t rows_max_;
  std::uint64_t dropped_ = 0;
};

}  // namespace hyades
