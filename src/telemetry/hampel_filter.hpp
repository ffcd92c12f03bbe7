// Takes single wild readings out of a noisy gauge, for what learns from a series. Not for what a
// person is shown or what is kept: a burst of 100 ms is a wild reading, too, and it did happen.
//
// The Hampel identifier (Hampel, The Influence Curve and Its Role in Robust Estimation, JASA 69,
// 1974) as a filter that cleans on-line (Liu, Shah, Jiang, On-line outlier detection and data
// cleaning, Computers & Chemical Engineering 28, 2004), without the half of the window that lies in
// the future:
//   m = median(x[t-n+1] .. x[t])
//   s = 1.4826 * median(|x[i] - m|), the standard deviation if the noise is normal
//   y[t] = m when |x[t] - m| > k * max(s, floor), else x[t]
// A change that lasts is followed once it fills more than half of the window.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "telemetry/reading.hpp"

namespace hyades {

struct HampelOptions {
  int window = 7;    // n: readings, the present one included; gaps do not count
  double k = 3;      // so many deviations away is wild
  double floor = 1;  // a deviation below this is taken for this: the metric's resolution. In a
                     // series that stood still the least change would be wild otherwise.
};

class HampelFilter {
 public:
  struct Result {
    double value = kNoReading;
    bool wild = false;
  };

  explicit HampelFilter(HampelOptions options) : options_(options) {}

  // With less than three readings nothing is wild. Gaps (and infinite values) stay gaps.
  Result push(double value);

 private:
  HampelOptions options_;
  std::deque<double> window_;
  std::vector<double> sorted_;  // kept for its memory
};

// As many as there are readings; each depends on those before it only.
std::vector<Reading> without_wild_readings(std::span<const Reading> series, HampelOptions options);

}  // namespace hyades
