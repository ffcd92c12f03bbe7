// All that can be measured on this node.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/accelerator_collector.hpp"
#include "telemetry/collector.hpp"
#include "telemetry/energy_meter.hpp"
#include "telemetry/gpu_process_collector.hpp"
#include "telemetry/nvml.hpp"
#include "telemetry/power_model.hpp"

namespace hyades {

struct CollectorOptions {
  std::string root;                     // "": this machine; else a tree of /proc and /sys
  std::string nvml_library;             // "": the usual one, which a tree never has
  std::vector<std::string> interfaces;  // empty: all but the loopback
  std::vector<AcceleratorSource> accelerators;
  PowerModel power_model;  // for a node without a meter

  // Makes those collectors whose source may hang (hwmon, NVML, accelerators and the energy meter,
  // which uses them), so that each may get a thread of its own, in which `make` runs as well; it
  // may go on running when this has returned. By default `make` is called at once.
  using Make = std::function<std::unique_ptr<Collector>()>;
  std::function<std::unique_ptr<Collector>(const std::string& name, Make make)> make_guarded;
};

// What was looked for and is not there, for people.
struct MissingSource {
  std::string name;  // the collector's
  std::string why;
};

struct FoundCollectors {
  // Each found something, and all metrics of one are of one class: it is to be sampled at that
  // class's period. The names of metrics are unique among all.
  std::vector<std::unique_ptr<Collector>> collectors;
  // Also of collectors that found only some of what they looked for.
  std::vector<MissingSource> missing;
  std::string energy_source;                       // EnergyMeter::describe(); "": its sources hang
  std::shared_ptr<Nvml> nvml;                      // null: none
  std::shared_ptr<GpuProcessBoard> gpu_processes;  // kept up to date by a collector; null: none
};

// Does not throw. As root where energy counters are to be read, see RaplCollector; what was found
// may then be sampled as anybody. May block for as long as make_guarded and the kernel do.
FoundCollectors find_collectors(const CollectorOptions& options);

}  // namespace hyades
