// What Prometheus is shown at /metrics: names and labels are a promise (docs/telemetry.md).
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "core/controller.hpp"
#include "master/queue_meter.hpp"
#include "master/telemetry_board.hpp"

namespace hyades {

struct MetricsFacts {
  std::string version;
  std::uint64_t turns = 0;    // of the master's loop
  std::uint64_t commits = 0;  // of the queue
  bool degraded = false;
  JobCounts jobs;
  WallMs now_ms = 0;
};

// The cluster as of now: nodes, queues, the scheduler, and jobs that run. At most `jobs_max` of
// these, the oldest, so that a page stays one that can be read.
std::vector<prometheus::MetricFamily> metrics_page(const Controller& controller,
                                                   TelemetryBoard& telemetry,
                                                   const MetricsFacts& facts, int jobs_max = 2000);

// "cpu.busy" -> "cpu_busy": letters, digits and underscores.
std::string metric_name(const std::string& figure);

}  // namespace hyades
