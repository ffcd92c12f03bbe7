#include "worker/job_gpus.hpp"

#include <cmath>
#include <utility>

namespace hyades {
namespace {

std::string metric_of(std::size_t device, const char* figure) {
  return "gpu" + std::to_string(device) + '.' + figure;
}

}  // namespace

JobGpus::JobGpus(std::shared_ptr<const GpuProcessBoard> board)
    : board_(std::move(board)), counted_j_(board_ ? board_->devices() : 0, kNoReading) {}

// By its counter, where it has one: what it counted while it could not be read is in the next.
double JobGpus::joules_of(std::size_t device, const TelemetryEngine& engine, const Now& now) {
  if (const auto counter = engine.latest(metric_of(device, "energy"), now)) {
    if (std::isnan(counter->value)) return kNoReading;
    const double step = counter->value - std::exchange(counted_j_[device], counter->value);
    return step >= 0 ? step : kNoReading;  // the first, or the driver was loaded anew
  }
  const auto power = engine.latest(metric_of(device, "power"), now);
  if (!power || looked_ms_ == 0) return kNoReading;
  return power->average * static_cast<double>(now.boot_ms - looked_ms_) / 1e3;
}

GpuDeviceUse JobGpus::use_of(std::size_t device, const TelemetryEngine& engine, const Now& now) {
  GpuDeviceUse use{.joules = joules_of(device, engine, now)};
  if (const auto busy = engine.latest(metric_of(device, "utilization"), now)) {
    use.percent = busy->average;
  }
  if (const auto total = engine.latest(metric_of(device, "memory_total"), now)) {
    use.total_mib = total->value;
  }
  return use;
}

void JobGpus::look(const TelemetryEngine& engine, std::map<LaunchKey, JobMeter>& jobs,
                   BootMs age_max_ms, const Now& now) {
  if (!board_) return;
  const auto lists = board_->read(now.boot_ms - age_max_ms);
  std::vector<GpuDeviceUse> devices;
  for (std::size_t device = 0; device < counted_j_.size(); ++device) {
    devices.push_back(use_of(device, engine, now));
    if (lists) devices.back().processes = (*lists)[device];
    if (std::isfinite(devices.back().joules)) joules_ += devices.back().joules;
  }
  looked_ms_ = now.boot_ms;
  std::vector<std::vector<pid_t>> processes;
  for (const auto& [key, meter] : jobs) processes.push_back(meter.pids());
  const std::vector<GpuJobUse> uses = share_gpus(devices, processes);
  std::size_t i = 0;
  for (auto& [key, meter] : jobs) {
    const GpuJobUse& use = uses[i++];
    meter.look_at_gpus(lists ? std::optional(use) : std::nullopt, now);
  }
}

double JobGpus::take_joules() { return std::exchange(joules_, 0); }

}  // namespace hyades
