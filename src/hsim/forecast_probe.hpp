// How wrong forecasts of run times are: what was expected of each job when it was submitted, beside
// what became of it.
#pragma once

#include <span>
#include <vector>

#include "hsim/knowing_replay.hpp"

namespace hyades {

// Seconds. By RunTimes: what it asked for, the last two, the model.
struct ForecastSample {
  double run_s = 0;
  double request_s = 0;
  double last_two_s = 0;
  double learned_s = 0;
  double q50_s = 0;  // quantiles, beside the model
  double q90_s = 0;
};

// Of each job of the window, in the order in which they were submitted; replayed smallest expected
// area first, because what is known depends on who has ended.
std::vector<ForecastSample> forecasts_of(const Workload& window, std::span<const TraceJob> earlier,
                                         ModelShelf& shelf);

struct ForecastErrors {
  double wape = 0;       // sum of |expected - run| / sum of run
  double factor = 0;     // exp of the mean |log(expected / run)|, both 10 s at least
  double too_short = 0;  // share of the jobs that ran longer than expected
};
ForecastErrors errors_of(const std::vector<ForecastSample>& samples,
                         double ForecastSample::*expected);

}  // namespace hyades
