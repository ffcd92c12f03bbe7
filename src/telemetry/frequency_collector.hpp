// How fast the processors run: cpufreq below /sys/devices/system/cpu, else "cpu MHz" in
// /proc/cpuinfo (which in many virtual machines never changes).
#pragma once

#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/source_file.hpp"

namespace hyades {

class FrequencyCollector : public Collector {
 public:
  // root: "" for this machine, else where a tree with proc/ and sys/ in it stands.
  explicit FrequencyCollector(const std::string& root);

  std::string_view name() const override { return "frequency"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  // Mean and maximum of the processors that are online and say it.
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  struct Sum;

  void read_cpufreq(Sum& sum);
  void read_cpuinfo(Sum& sum);

  std::vector<SourceFile> cpufreq_;
  SourceFile cpuinfo_;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
