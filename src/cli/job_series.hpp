// Series of a job's figures over time, its nodes put together. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/time.hpp"
#include "hyades.pb.h"

namespace hyades {

struct Series {
  std::string name;
  std::string unit;
  WallMs from_ms = 0;
  std::int64_t step_ms = 0;  // > 0 unless empty
  std::vector<double> mean;  // NaN: not known
  std::vector<double> most;  // as many

  bool empty() const { return mean.empty(); }
  WallMs until_ms() const { return from_ms + step_ms * static_cast<std::int64_t>(mean.size()); }
};

// One node's series as it was sent. Empty when it makes no sense: no step, or lists of different
// lengths. Values that are not finite become NaN.
Series read_series(const pb::JobSeries& series);

// The names of all series of the job, each once, in the order of the first node that has it.
std::vector<std::string> series_names(const pb::JobTelemetry& telemetry);

// What is to be said of all nodes together.
enum class Together { Sum, Mean, Most, First };

// Memory is limited on each node, so the highest node counts; utilisations are averaged, of what
// the job itself reported the first node's are taken, where its script runs; the rest is summed.
Together together_of(const std::string& name);

// The series of that name over all nodes. Where a node has no value, those that have one speak;
// where none has, NaN. Empty when no node has the series.
Series merge_series(const pb::JobTelemetry& telemetry, const std::string& name);

// At most `points` steps, each the mean (and the highest) of as many as it takes.
Series thin_series(const Series& series, std::size_t points);

}  // namespace hyades
