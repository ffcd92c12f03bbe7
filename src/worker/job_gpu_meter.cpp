#include "worker/job_gpu_meter.hpp"

#include <cmath>
#include <utility>

namespace hyades {

void JobGpuMeter::look(const std::optional<GpuJobUse>& use, BootMs now_ms) {
  // What is seen now stands for the time since the look before, if there was one.
  if (use && now_ && std::isfinite(use->busy) && now_ms > looked_ms_) {
    const double elapsed_s = static_cast<double>(now_ms - looked_ms_) / 1e3;
    busy_s_ += use->busy * elapsed_s;
    known_s_ += elapsed_s;
  }
  now_ = use;
  looked_ms_ = now_ms;
  if (!use) return;
  joules_ += use->joules;
  if (use->devices == 0) return;
  seen_ = true;
  // fmax: the one that is a number.
  peak_mib_ = std::fmax(peak_mib_, use->memory_mib);
}

double JobGpuMeter::take_joules() { return std::exchange(joules_, 0); }

double JobGpuMeter::percent() const {
  return now_ && now_->devices > 0 ? now_->percent : kNoReading;
}

void JobGpuMeter::add_figures(std::vector<Figure>& out) const {
  const auto add = [&](const char* name, const char* unit, double value) {
    if (std::isfinite(value)) out.push_back({name, unit, value});
  };
  add("job.gpu.utilization", "%", percent());
  if (now_) add("job.gpu.busy", "count", now_->busy);
  if (known_s_ > 0) add("job.gpu.busy_mean", "count", busy_s_ / known_s_);
  if (now_ && seen_) add("job.gpu.memory", "MiB", now_->devices == 0 ? 0 : now_->memory_mib);
  add("job.gpu.memory_peak", "MiB", peak_mib_);
}

}  // namespace hyades
