// How often a node measures, and how much of that it keeps. From [telemetry] of the configuration.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/resources.hpp"

namespace hyades {

// A kind of device that shows figures of itself as files.
struct AcceleratorFigureSetting {
  std::string name;  // "temperature"
  std::string unit;
  std::string file;  // below the device's folder
  double scale = 1;  // what the number in it is multiplied by

  friend bool operator==(const AcceleratorFigureSetting&,
                         const AcceleratorFigureSetting&) = default;
};
struct AcceleratorSetting {
  std::string kind;    // "npu"
  std::string folder;  // a pattern with one '*': "/sys/class/npu/npu*"
  std::vector<AcceleratorFigureSetting> figures;

  friend bool operator==(const AcceleratorSetting&, const AcceleratorSetting&) = default;
};

struct TelemetrySettings {
  bool enabled = true;
  // Of compute, memory, network, power, application.
  std::array<int, 5> period_ms = {100, 200, 500, 1000, 500};
  int report_ms = 2000;    // how often the master is told
  int idle_factor = 10;    // periods are so much longer while no job runs on the node
  int budget_ppm = 4000;   // of one core, that sampling may cost; periods are stretched beyond it
  int retention_s = 3600;  // of readings on the node
  MiB ring_mib = 16;       // most memory for them
  int idle_watts = 0;      // of the node, where nothing measures it; 0: by its cores
  int peak_watts = 0;      // likewise
  std::vector<AcceleratorSetting> accelerators;

  friend bool operator==(const TelemetrySettings&, const TelemetrySettings&) = default;
};

}  // namespace hyades
