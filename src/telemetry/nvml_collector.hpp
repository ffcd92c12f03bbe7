// NVIDIA GPUs. Of one class of metrics each, so that memory and power need not be asked for as
// often as use: "gpuN.utilization" (Compute), "gpuN.memory_used" and "gpuN.memory_total" (Memory),
// "gpuN.power", "gpuN.energy" and "gpuN.temperature" (Power).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/nvml.hpp"

namespace hyades {

class NvmlCollector : public Collector {
 public:
  // Starts NVML if nobody has. A figure that a device does not have is not among the metrics; nor
  // is a device that is lost.
  NvmlCollector(std::shared_ptr<Nvml> nvml, MetricClass of);

  // "nvml.compute", "nvml.memory", "nvml.power".
  std::string_view name() const override { return name_; }
  const std::vector<Metric>& metrics() const override { return metrics_; }

  // What cannot be true (use beyond 100 %, more memory used than there is) is no reading.
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  enum class Figure { Utilization, Memory, Power, Energy, Temperature };
  struct Source {
    std::size_t device;
    Figure figure;
  };

  void add_device(std::size_t device);
  bool add_source(std::size_t device, Figure figure);
  void add_metric(std::size_t device, const char* figure, const char* unit, double resolution);
  int ask(const Source& source, double* values) const;
  static bool is_plausible(Figure figure, const double* values);
  void complain(std::size_t device, const std::string& what);

  std::shared_ptr<Nvml> nvml_;
  MetricClass of_;
  std::string name_;
  std::vector<Source> sources_;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
