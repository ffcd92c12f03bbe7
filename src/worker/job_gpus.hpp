// Whose GPUs are whose among the jobs that run on this node: brings together what the driver says
// of processes (gpu_process_collector.hpp), what the engine has read of the devices, and the jobs'
// processes. Asks no driver itself.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/ids.hpp"
#include "telemetry/gpu_process_collector.hpp"
#include "telemetry/telemetry_engine.hpp"
#include "worker/job_meter.hpp"

namespace hyades {

class JobGpus {
 public:
  // Null: the node has no GPU.
  explicit JobGpus(std::shared_ptr<const GpuProcessBoard> board);

  // After each look at the jobs' processes. An answer of the driver that is older than
  // `age_max_ms` is none.
  void look(const TelemetryEngine& engine, std::map<LaunchKey, JobMeter>& jobs, BootMs age_max_ms,
            const Now& now);

  // That all devices took since the last call, whoever used them.
  double take_joules();

 private:
  GpuDeviceUse use_of(std::size_t device, const TelemetryEngine& engine, const Now& now);
  double joules_of(std::size_t device, const TelemetryEngine& engine, const Now& now);

  std::shared_ptr<const GpuProcessBoard> board_;
  std::vector<double> counted_j_;  // each device's counter, when it was last seen
  BootMs looked_ms_ = 0;
  double joules_ = 0;
};

}  // namespace hyades
