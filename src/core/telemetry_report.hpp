// What a node tells the master about itself and the jobs on it. Nothing is decided by it: a report
// may be lost, and the next one says more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace hyades {

// Of a job on a node: how many cores it keeps busy.
inline constexpr const char* kCoresBusyFigure = "job.cpu";
// How much of its work it says is done, and what its processes have executed so far.
inline constexpr const char* kProgressFigure = "app.progress";
inline constexpr const char* kInstructionsFigure = "counter.PAPI_TOT_INS";

struct Figure {
  std::string name;  // "cpu.busy"
  std::string unit;  // "%"
  double value = 0;  // finite: what is not known is left out
  bool modelled = false;

  friend bool operator==(const Figure&, const Figure&) = default;
};

struct JobFigures {
  LaunchKey key;
  std::vector<Figure> figures;

  friend bool operator==(const JobFigures&, const JobFigures&) = default;
};

// How something ran in the course of a job's part on a node.
struct JobSeries {
  LaunchKey key;
  std::string name;  // "job.cpu"
  std::string unit;
  WallMs from_ms = 0;
  std::int64_t step_ms = 1000;  // that each point stands for
  std::vector<float> mean;      // NaN: not known
  std::vector<float> most;      // as many

  friend bool operator==(const JobSeries&, const JobSeries&) = default;
};

// Part of the node's telemetry, running or not.
struct ComponentState {
  std::string name;   // "cpu", "rapl"
  std::string layer;  // "monitoring"
  bool running = false;
  std::uint64_t samples = 0;
  std::uint64_t troubles = 0;
  double cpu_ms = 0;            // that it has used
  int period_ms = 0;            // in effect; 0: none
  std::string text;             // what it reads, or why it does not run
  std::vector<Figure> figures;  // anything else that it counts

  friend bool operator==(const ComponentState&, const ComponentState&) = default;
};

struct TelemetryReport {
  WallMs from_ms = 0;  // the stretch of time that the node's figures are about
  WallMs until_ms = 0;
  bool whole_minute = false;  // to be kept, not only shown
  std::vector<Figure> node;
  std::vector<JobFigures> jobs;
  std::vector<JobSeries> series;           // of parts that have ended
  std::vector<ComponentState> components;  // now and then

  friend bool operator==(const TelemetryReport&, const TelemetryReport&) = default;
};

struct TelemetryLimits {
  static constexpr std::size_t name_bytes_max = 80;
  static constexpr std::size_t text_bytes_max = 512;
  static constexpr std::size_t figures_max = 4096;  // of the node, and of one job
  static constexpr std::size_t points_max = 1024;   // of one series
};

}  // namespace hyades
