// The energy counters of processors and memory as the kernel's powercap shows them (Intel RAPL, and
// AMD's under the same name): /sys/class/powercap/intel-rapl:*.
//
// "power.package0" and its kin are whole packages, "power.dram0" the memory at package 0,
// "power.psys" the whole platform, packages and memory included. Parts of a package (core, uncore)
// and the same packages under another name (intel-rapl-mmio) are left out, so that packages and
// memory may be summed up, and psys may not be added to them.
//
// The counters are root's alone: make the collector as root, it can be sampled as anybody.
#pragma once

#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/source_file.hpp"

namespace hyades {

class RaplCollector : public Collector {
 public:
  // root: "" for this machine, else where a tree with sys/ in it stands.
  explicit RaplCollector(const std::string& root);

  std::string_view name() const override { return "rapl"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  void add_zone(const std::string& directory, const std::string& metric);
  bool read_energy(SourceFile& file, double wraps_at, double& joules);

  std::vector<SourceFile> counters_;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
