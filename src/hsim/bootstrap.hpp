// How sure a figure over windows is: bootstrap intervals. The windows are drawn again, with
// repetition, thousands of times; the interval holds the middle 95 % of what comes out. Paired: a
// window that is drawn counts for both schedulers, so that what is hard for both does not blur the
// difference. The same seed gives the same interval everywhere. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <vector>

namespace hyades {

struct Interval {
  double value = 0;  // of the windows as they are
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  int resamples = 4000;
  std::uint64_t seed = 1;
  double level = 0.95;
  bool other_logs = false;  // logs are drawn again, too: what would come out on others like these
};

// One figure of two schedulers on the same windows of one log: a[i] and b[i] are of one window.
struct PairedWindows {
  std::vector<double> a;
  std::vector<double> b;
};

// The mean of the values. Empty: all 0.
Interval bootstrap_mean(const std::vector<double>& values, const BootstrapOptions& options = {});

// The geometric mean of a over that of b. All values > 0. Of several logs, each is resampled by
// itself and counts the same however many windows it has: the geometric mean over the logs. With
// `other_logs`, one that is drawn twice has the same windows both times.
Interval bootstrap_geometric_ratio(const std::vector<PairedWindows>& logs,
                                   const BootstrapOptions& options = {});

// The sum of a over the sum of b; 1 where both are 0. Of several logs, the geometric mean of their
// ratios.
Interval bootstrap_ratio_of_means(const std::vector<PairedWindows>& logs,
                                  const BootstrapOptions& options = {});

}  // namespace hyades
