// What telemetry measures. A metric is described once, by the collector that found its source; a
// reading is then only a number.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "core/words.hpp"

namespace hyades {

// Each class has a period of its own and a way in which its readings are summed up.
enum class MetricClass {
  Compute,      // CPU, instructions, GPU: averaged
  Memory,       // the latest counts
  Network,      // summed up
  Power,        // kept as a series
  Application,  // events, and what jobs report of themselves
};
constexpr int kMetricClasses = 5;
inline constexpr Word<MetricClass> metric_class_words[] = {
    {MetricClass::Compute, "compute"},
    {MetricClass::Memory, "memory"},
    {MetricClass::Network, "network"},
    {MetricClass::Power, "power"},
    {MetricClass::Application, "application"}};

enum class Behavior {
  Gauge,    // goes up and down
  Counter,  // only grows, until it wraps or its source starts anew
};

struct Metric {
  std::string name;  // "net.eth0.rx_bytes": [a-zA-Z0-9_.:-]+, unique on a node
  std::string unit;  // "bytes", "%", "J", "W", "degC", "MHz", "MiB", "V", "rpm", "count"
  MetricClass of = MetricClass::Compute;
  Behavior behavior = Behavior::Gauge;
  double resolution = 1;  // the smallest difference that is kept
  double wraps_at = 0;    // of a counter: it goes on at 0 when it reaches this; 0: never
  bool modelled = false;  // computed from a stated model rather than measured
};

// Of what a counter grows by in a second, as people want it.
inline std::string rate_unit(const std::string& unit) {
  if (unit == "J") return "W";
  return unit == "count" ? "1/s" : unit + "/s";
}

// A reading that could not be taken now. Never 0: a device that does not answer is not idle.
constexpr double kNoReading = std::numeric_limits<double>::quiet_NaN();

}  // namespace hyades
