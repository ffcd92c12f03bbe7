// How busy the node's processors are: /proc/stat, /proc/loadavg and /proc/pressure/cpu.
#pragma once

#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/cpu_times.hpp"
#include "telemetry/pressure.hpp"

namespace hyades {

class CpuCollector : public Collector {
 public:
  // root: "" for this machine, else where a tree with proc/ in it stands.
  explicit CpuCollector(const std::string& root);

  std::string_view name() const override { return "cpu"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  // The shares of time are those since the sample before: the first has none, nor has one within
  // a clock tick (10 ms) of the one before, whose time is in the next one.
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  void sample_times(double* values);
  bool read_load(double& load, double& running);

  CpuTimes times_;
  SourceFile load_;
  Pressure pressure_;
  bool has_times_ = false;
  bool has_load_ = false;
  bool has_pressure_ = false;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
