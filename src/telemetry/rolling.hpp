// What a series was like lately, as features for forecasts: one row for each reading, from that
// reading and those before it. Nothing ever depends on what came later.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "telemetry/reading.hpp"

namespace hyades {

struct RollingOptions {
  WallMs window_ms = 10'000;
  int lag = 10;  // readings back, for lag_k; 1 at least
};

// Over the readings of (at_ms - window_ms, at_ms] that are no gaps; kNoReading where these are too
// few (one for all but the slope, which takes two at different times).
struct RollingFeatures {
  WallMs at_ms = 0;
  int readings = 0;
  int gaps = 0;
  double mean = kNoReading;
  double min = kNoReading;
  double max = kNoReading;
  double stddev = kNoReading;  // of these readings, not an estimate for others: divided by n
  double p95 = kNoReading;     // the nearest rank: the ceil(0.95 n)-th smallest
  double slope = kNoReading;   // a second, by least squares
  double lag_1 = kNoReading;   // the reading before this one, a gap if it was one
  double lag_k = kNoReading;   // the reading `lag` before this one
};

class Rolling {
 public:
  explicit Rolling(RollingOptions options);

  // Readings come in the order of their times; one from before its predecessor (the clock was set)
  // starts the window anew. Infinite values are gaps.
  RollingFeatures push(const Reading& reading);

 private:
  void forget(WallMs now_ms);
  void describe(RollingFeatures& row);

  RollingOptions options_;
  std::deque<Reading> window_;
  std::deque<double> lags_;     // the newest last
  std::vector<double> values_;  // kept for its memory
};

// A row for each reading.
std::vector<RollingFeatures> rolling_features(std::span<const Reading> series,
                                              RollingOptions options);

}  // namespace hyades
