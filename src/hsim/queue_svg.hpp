// The queue and the machine over time, one picture above the other: how many jobs wait, and how
// many processors are in use. Of several replays one line each. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "hsim/replay.hpp"

namespace hyades {

struct QueueCurve {
  std::string name;  // "saf with easy"
  std::vector<QueueSample> samples;
};

struct QueuePicture {
  std::string title;
  int procs = 0;                   // of the machine
  std::int64_t begin_s = 0;        // the first submission
  std::int64_t unix_start_s = 0;   // when second 0 was; 0: not known
  std::vector<QueueCurve> curves;  // at most kSvgColours are drawn
};

std::string queue_svg(const QueuePicture& picture);

// What a replay's start times say of the queue: a sample for each second at which anything changed.
std::vector<QueueSample> queue_over_time(const Workload& workload,
                                         const std::vector<ReplayedJob>& jobs);

// The title is the workload's name.
QueuePicture queue_picture(const Workload& workload, std::vector<QueueCurve> curves);

}  // namespace hyades
