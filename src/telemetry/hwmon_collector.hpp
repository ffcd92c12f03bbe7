// The sensors on the node's boards and chips: /sys/class/hwmon, and /sys/class/thermal where that
// has no temperature.
//
// "power.CHIP.temp_LABEL" (degC), "power.CHIP.power_LABEL" (W), "power.CHIP.energy_LABEL" (J),
// "power.CHIP.in_LABEL" (V), "power.CHIP.fan_LABEL" (rpm); without a label the sensor's number
// stands for "_LABEL" ("temp1"). The second chip of a name is CHIP-2. Of a processor with a
// temperature for the package, those of its cores are left out.
#pragma once

#include <string>
#include <vector>

#include "telemetry/collector.hpp"
#include "telemetry/source_file.hpp"

namespace hyades {

struct SensorKind;

class HwmonCollector : public Collector {
 public:
  // root: "" for this machine, else where a tree with sys/ in it stands. only_chip: the name of the
  // only kind of chip to look at; "": all.
  explicit HwmonCollector(const std::string& root, const std::string& only_chip = "");

  std::string_view name() const override { return "hwmon"; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& values) override;
  const std::string& trouble() const override { return trouble_; }

 private:
  struct Sensor {
    SourceFile file;
    const SensorKind* kind;
  };

  void add_chip(const std::string& directory, const std::string& chip);
  void add_sensor(const std::string& path, const SensorKind& kind, const std::string& metric);
  void add_thermal_zones(const std::string& directory);
  std::string unused(const std::string& metric) const;
  bool has_temperature() const;
  bool read_sensor(Sensor& sensor, double& value);

  std::vector<Sensor> sensors_;
  std::vector<Metric> metrics_;
  std::string trouble_;
};

}  // namespace hyades
