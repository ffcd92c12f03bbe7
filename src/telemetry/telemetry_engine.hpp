// All that a node measures: its collectors, what they read lately, and what it amounts to minute by
// minute. Keeps readings as they were taken, bursts included; who learns from a series takes the
// wild ones out of it (hampel_filter.hpp). Reads no clock, has no threads.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/counter_rate.hpp"
#include "telemetry/delta_ring.hpp"
#include "telemetry/minute_rollup.hpp"

namespace hyades {

struct EngineOptions {
  std::size_t ring_bytes = 8u << 20;  // of all rings, in equal parts; two blocks each at least
  // In the order of MetricClass.
  std::array<WallMs, kMetricClasses> retention_ms = {3'600'000, 3'600'000, 3'600'000, 3'600'000,
                                                     3'600'000};
  WallMs average_ms = 1'000;  // LatestReading::average is of so long
  int minutes_kept = 60;      // if nobody takes them
  // CPU time of the calling thread; none: what sampling costs is not known (0).
  std::function<std::int64_t()> cpu_us = {};
};

struct LatestReading {
  double value = kNoReading;    // of a counter: as it stands
  double rate = kNoReading;     // of a counter: a second, by its last step
  double average = kNoReading;  // of a gauge's values or a counter's rates
  std::string unit;
  MetricClass of = MetricClass::Compute;
  Behavior behavior = Behavior::Gauge;
  bool modelled = false;
  std::int64_t age_ms = -1;  // -1: nobody has looked yet
};

struct CollectorState {
  std::string name;
  std::size_t metrics = 0;
  std::array<bool, kMetricClasses> has = {};  // metrics of which classes, in their order
  std::uint64_t samples = 0;                  // looks at the source
  std::uint64_t troubles = 0;                 // after so many of them something was wrong
  std::string trouble;                        // now; "": nothing
  std::string last_trouble;                   // the latest there was
  WallMs last_trouble_ms = 0;
  std::int64_t cpu_us = 0;
};

class TelemetryEngine {
 public:
  // In the order of MetricClass.
  using Costs = std::array<std::int64_t, kMetricClasses>;

  // Of metrics with the same name the first counts, and the second's collector is in trouble.
  TelemetryEngine(std::vector<std::unique_ptr<Collector>> collectors, EngineOptions options);

  // Looks once at each collector that has metrics of these classes and keeps those. What it cost,
  // in microseconds of CPU time; a collector's cost is divided among its classes.
  Costs run(const std::vector<MetricClass>& classes, const Now& now);
  std::int64_t run_class(MetricClass of, const Now& now);

  // MinuteRow::metric is a number in this list.
  const std::vector<Metric>& metrics() const { return metrics_; }
  bool has(MetricClass of) const;

  std::map<std::string, LatestReading> latest(const Now& now) const;
  // Of one metric; absent: no such metric.
  std::optional<LatestReading> latest(const std::string& name, const Now& now) const;
  // Absent: no such metric. A counter's readings are as it stood.
  std::optional<Series> history(const std::string& name, WallMs since_ms) const;
  // Rows of minutes that are over, each once.
  std::vector<MinuteRow> take_minutes(const Now& now);
  const std::vector<CollectorState>& state() const { return states_; }

  std::size_t ring_bytes() const;          // of memory
  std::uint64_t readings_refused() const;  // values that no ring could hold
  std::uint64_t minutes_dropped() const { return minutes_.dropped(); }

 private:
  struct Source {
    std::unique_ptr<Collector> collector;
    // For each of its values the number of its metric; none for one that does not count.
    std::vector<std::optional<std::size_t>> metrics;
    std::int64_t cpu_elsewhere_us = 0;
  };
  struct Track {
    DeltaRing ring;
    CounterRate rate;
    double value = kNoReading;
    double last_rate = kNoReading;
    std::optional<BootMs> looked_ms;
  };

  void adopt(std::unique_ptr<Collector> collector);
  std::vector<MetricClass> wanted_of(const Source& source,
                                     const std::vector<MetricClass>& classes) const;
  std::int64_t look(std::size_t source, const Now& now);
  void keep(std::size_t metric, double value, const Now& now);
  LatestReading latest_of(std::size_t metric, const Now& now) const;
  double average_of(std::size_t metric, WallMs since_ms) const;

  EngineOptions options_;
  std::vector<Source> sources_;
  std::vector<CollectorState> states_;
  std::vector<Metric> metrics_;
  std::vector<Track> tracks_;  // of each metric
  std::map<std::string, std::size_t> numbers_;
  MinuteRollup minutes_;
  std::vector<double> values_;  // kept for its memory
};

}  // namespace hyades
