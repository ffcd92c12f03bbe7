// Looks whether a replay can be true: what no scheduler may do, and what none could. It shares
// nothing with the scheduler, so that a defect there does not excuse itself. Pure functions; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hsim/replay.hpp"

namespace hyades {

// No schedule of these jobs can be shorter, in seconds from the first submission to the last end.
struct MakespanBounds {
  std::int64_t height_s = 0;  // the last moment at which a job would end if none ever waited
  double area_s = 0;          // the work that comes from some moment on, spread over all processors
};

MakespanBounds makespan_bounds(const Workload& workload);

// Every job started, none before it was submitted, at no moment more processors in use than there
// are, and the whole not shorter than the bounds. A sentence about the first violation in time that
// names the job and the second; "" when there is none.
std::string check_replay(const Workload& workload, const std::vector<ReplayedJob>& jobs);

// The part about the bounds, for a makespan that somebody else worked out.
std::string check_makespan(const Workload& workload, std::int64_t makespan_s);

}  // namespace hyades
