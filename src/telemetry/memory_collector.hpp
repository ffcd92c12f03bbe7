// How much memory the node has left and how hard it is to come by: /proc/meminfo, /proc/vmstat and
// /proc/pressure/memory.
#pragma once

#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/pressure.hpp"
#include "telemetry/source_file.hpp"

namespace hyades {

class MemoryCollector : public Collector {
 public:
  // root: "" for this machine, else where a tree with proc/ in it stands.
  explicit MemoryCollector(const std::string& root);

  std::string_view name() const override { return "memory"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  struct Sizes;

  bool read_sizes(Sizes& sizes);
  void sample_counters(double* values);

  SourceFile meminfo_;
  SourceFile vmstat_;
  Pressure pressure_;
  bool has_sizes_ = false;
  bool has_pressure_ = false;
  std::vector<std::size_t> counters_;  // places in the table of counters that this kernel has
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
