// Any other accelerator (NPU, FPGA, another vendor's GPU) whose driver shows figures as files, as
// the configuration describes it. Only devices that are really there are reported.
#pragma once

#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/source_file.hpp"

namespace hyades {

// One figure of a device: a file with one number in it.
struct AcceleratorFigure {
  std::string name;  // "utilization"
  std::string file;  // below the device's path, with wildcards: "device/hwmon/hwmon*/power1_input"
  std::string unit;  // as Metric's; what is "%" is 0 to 100
  double scale = 1;  // the number times this is in that unit
  MetricClass of = MetricClass::Compute;
  Behavior behavior = Behavior::Gauge;
  double resolution = 1;
};

struct AcceleratorSource {
  std::string kind;  // "npu": its metrics are "npu0.utilization" ...
  std::string
      devices;  // an absolute path with wildcards, one match a device: "/sys/class/accel/accel*"
  std::vector<AcceleratorFigure> figures;
};

class AcceleratorCollector : public Collector {
 public:
  // The figures of one class. root: "" for this machine, else where a tree stands that takes the
  // place of "/".
  AcceleratorCollector(const std::string& root, const AcceleratorSource& source, MetricClass of);

  std::string_view name() const override { return name_; }  // "npu.compute"
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  struct Reading {
    SourceFile file;
    double scale;
    bool is_percentage;
  };

  void add_figure(const std::string& device, const std::string& prefix,
                  const AcceleratorFigure& figure);
  bool read(Reading& reading, double& value);

  std::string name_;
  std::vector<Reading> readings_;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
