#include "telemetry/nvml_collector.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

// Where no device can be, so the driver or the device lies.
constexpr double most_watts = 20'000;
constexpr double most_degrees = 200;
constexpr double most_mib = 1024.0 * 1024 * 1024;

// It is not that this figure cannot be had just now.
bool is_never_there(int code) {
  return code == Nvml::NotSupported || code == Nvml::FunctionNotFound ||
         code == Nvml::InvalidArgument || code == Nvml::NoPermission || code == Nvml::GpuIsLost;
}

}  // namespace

NvmlCollector::NvmlCollector(std::shared_ptr<Nvml> nvml, MetricClass of)
    : nvml_(std::move(nvml)), of_(of), name_("nvml.") {
  name_ += word_of(metric_class_words, of);
  nvml_->start();
  add_trouble(trouble_, nvml_->trouble());
  for (std::size_t device = 0; device < nvml_->devices().size(); ++device) add_device(device);
}

void NvmlCollector::add_device(std::size_t device) {
  if (of_ == MetricClass::Compute) {
    if (add_source(device, Figure::Utilization)) add_metric(device, "utilization", "%", 1);
  } else if (of_ == MetricClass::Memory) {
    if (!add_source(device, Figure::Memory)) return;
    add_metric(device, "memory_used", "MiB", 1);
    add_metric(device, "memory_total", "MiB", 1);
  } else {
    if (add_source(device, Figure::Power)) add_metric(device, "power", "W", 0.1);
    if (add_source(device, Figure::Energy)) {
      add_metric(device, "energy", "J", 0.1);
      metrics_.back().behavior = Behavior::Counter;
    }
    if (add_source(device, Figure::Temperature)) add_metric(device, "temperature", "degC", 1);
  }
}

bool NvmlCollector::add_source(std::size_t device, Figure figure) {
  double values[2];
  const int code = ask({device, figure}, values);
  if (code != Nvml::Success && code != Nvml::NotSupported) complain(device, nvml_->error(code));
  if (is_never_there(code)) return false;
  sources_.push_back({device, figure});
  return true;
}

void NvmlCollector::add_metric(std::size_t device, const char* figure, const char* unit,
                               double resolution) {
  Metric metric;
  metric.name = "gpu" + std::to_string(device) + '.' + figure;
  metric.unit = unit;
  metric.of = of_;
  metric.resolution = resolution;
  metrics_.push_back(std::move(metric));
}

int NvmlCollector::ask(const Source& source, double* values) const {
  switch (source.figure) {
    case Figure::Utilization:
      return nvml_->utilization(source.device, values[0]);
    case Figure::Memory:
      return nvml_->memory(source.device, values[0], values[1]);
    case Figure::Power:
      return nvml_->power(source.device, values[0]);
    case Figure::Energy:
      return nvml_->energy(source.device, values[0]);
    case Figure::Temperature:
      return nvml_->temperature(source.device, values[0]);
  }
  return Nvml::NotSupported;
}

bool NvmlCollector::is_plausible(Figure figure, const double* values) {
  switch (figure) {
    case Figure::Utilization:
      return values[0] <= 100;
    case Figure::Memory:
      return values[0] <= values[1] && values[1] <= most_mib;
    case Figure::Power:
      return values[0] <= most_watts;
    case Figure::Temperature:
      return values[0] <= most_degrees;
    case Figure::Energy:
      return true;
  }
  return false;
}

void NvmlCollector::complain(std::size_t device, const std::string& what) {
  add_trouble(trouble_,
              "gpu" + std::to_string(device) + " (" + nvml_->devices()[device].uuid + "): " + what);
}

void NvmlCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  double* next = values.data();
  for (const Source& source : sources_) {
    double answer[2] = {kNoReading, kNoReading};
    const std::size_t figures = source.figure == Figure::Memory ? 2 : 1;
    const int code = ask(source, answer);
    if (code != Nvml::Success) {
      complain(source.device, nvml_->error(code));
    } else if (!is_plausible(source.figure, answer)) {
      complain(source.device, "what it says of " +
                                  metrics_[static_cast<std::size_t>(next - values.data())].name +
                                  " cannot be");
    } else {
      std::copy(answer, answer + figures, next);
    }
    next += figures;
  }
}

}  // namespace hyades
