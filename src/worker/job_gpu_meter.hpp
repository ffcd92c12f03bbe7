// What one running job does with a node's GPUs, look by look (gpu_share.hpp).
#pragma once

#include <optional>
#include <vector>

#include "core/telemetry_report.hpp"
#include "core/time.hpp"
#include "telemetry/gpu_share.hpp"

namespace hyades {

class JobGpuMeter {
 public:
  // Nothing: it is not known now, and what was seen before says nothing of now.
  void look(const std::optional<GpuJobUse>& use, BootMs now_ms);

  // Of those devices' joules, its part since the last call.
  double take_joules();

  // % of the devices that it is on, for the course of things; kNoReading: not known, or on none.
  double percent() const;

  // Appends "job.gpu.*". Nothing where no GPU was ever looked at.
  void add_figures(std::vector<Figure>& out) const;

 private:
  std::optional<GpuJobUse> now_;
  BootMs looked_ms_ = 0;
  bool seen_ = false;   // on a device, once
  double busy_s_ = 0;   // device seconds
  double known_s_ = 0;  // of how long that is known
  double peak_mib_ = kNoReading;
  double joules_ = 0;
};

}  // namespace hyades
