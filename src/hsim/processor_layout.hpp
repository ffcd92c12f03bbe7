// Which processors each job had, for drawing: logs and replays know only how many. Pure functions;
// any thread.
#pragma once

#include <vector>

#include "hsim/replay.hpp"

namespace hyades {

struct ProcessorRange {
  int first = 0;
  int count = 0;

  friend bool operator==(const ProcessorRange&, const ProcessorRange&) = default;
};

// For each job its processors, 0..procs-1: in order of their starts, the lowest gap that is large
// enough, and pieces from the lowest on where there is none. A job that was not started has none;
// one too many for the machine has what was left.
std::vector<std::vector<ProcessorRange>> lay_out_processors(const Workload& workload,
                                                            const std::vector<ReplayedJob>& jobs);

}  // namespace hyades
