// One source of readings: a family of files below /proc or /sys, or a device library. A collector
// looks once, when it is made, for what is there; what it did not find then is not among its
// metrics, and is never reported.
//
// Called from one thread. sample() may block for as long as the kernel or a driver does, so
// whoever calls it must be able to go on without it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/metric.hpp"

namespace hyades {

class Collector {
 public:
  virtual ~Collector() = default;

  // "cpu", "nvml"; unique on a node.
  virtual std::string_view name() const = 0;

  // Empty: nothing was found, and trouble() says what was looked for.
  virtual const std::vector<Metric>& metrics() const = 0;

  // values[i] becomes the reading of metrics()[i], kNoReading where there is none now. Does not
  // throw; a source that vanished, lies or cannot be read makes trouble() say so.
  virtual void sample(std::vector<double>& values) = 0;

  // What was wrong with the last look at the source; "": nothing.
  virtual const std::string& trouble() const = 0;

  // CPU time that looking cost so far in other threads than the one that calls sample().
  virtual std::int64_t cpu_elsewhere_us() const { return 0; }
};

}  // namespace hyades
