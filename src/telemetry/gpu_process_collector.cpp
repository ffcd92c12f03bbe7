#include "telemetry/gpu_process_collector.hpp"

#include <utility>

#include "telemetry/clocks.hpp"
#include "telemetry/fields.hpp"

namespace hyades {
namespace {

// It is not that they cannot be had just now.
bool is_never_told(int code) {
  return code == Nvml::NotSupported || code == Nvml::FunctionNotFound || code == Nvml::NoPermission;
}

}  // namespace

void GpuProcessBoard::write(Lists lists, BootMs at_ms) {
  const std::lock_guard lock(mutex_);
  lists_ = std::move(lists);
  lists_.resize(devices_);
  at_ms_ = at_ms;
}

std::optional<GpuProcessBoard::Lists> GpuProcessBoard::read(BootMs since_ms) const {
  const std::lock_guard lock(mutex_);
  if (!at_ms_ || *at_ms_ < since_ms) return std::nullopt;
  return lists_;
}

GpuProcessCollector::GpuProcessCollector(std::shared_ptr<Nvml> nvml,
                                         std::shared_ptr<GpuProcessBoard> board,
                                         std::function<BootMs()> clock)
    : nvml_(std::move(nvml)),
      board_(std::move(board)),
      clock_(clock ? std::move(clock) : boot_clock_ms) {
  nvml_->start();
  add_trouble(trouble_, nvml_->trouble());
  std::vector<GpuProcess> found;
  for (std::size_t device = 0; device < nvml_->devices().size(); ++device) {
    if (is_never_told(nvml_->processes(device, found, trouble_))) continue;
    Metric metric;
    metric.name = "gpu" + std::to_string(device) + ".processes";
    metric.unit = "count";
    metric.of = MetricClass::Application;
    metrics_.push_back(std::move(metric));
    devices_.push_back(device);
  }
}

void GpuProcessCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  GpuProcessBoard::Lists lists(nvml_->devices().size());
  // Before it is asked: what comes late is old.
  const BootMs at_ms = clock_();
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    std::vector<GpuProcess> found;
    if (nvml_->processes(devices_[i], found, trouble_) != Nvml::Success) continue;
    values[i] = static_cast<double>(found.size());
    lists[devices_[i]] = std::move(found);
  }
  board_->write(std::move(lists), at_ms);
}

}  // namespace hyades
