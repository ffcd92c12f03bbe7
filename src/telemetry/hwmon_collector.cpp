#include "telemetry/hwmon_collector.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "telemetry/fields.hpp"

namespace hyades {

// What the kernel calls it and in which unit; beyond the limits it is a sensor that is not
// connected or lies.
struct SensorKind {
  const char* prefix;
  const char* suffix;
  const char* unit;
  double per_unit;
  double least;
  double most;
  double resolution;
  Behavior behavior;
};

namespace {

constexpr SensorKind kinds[] = {
    {"temp", "_input", "degC", 1000, -60, 200, 0.5, Behavior::Gauge},
    {"power", "_average", "W", 1e6, 0, 1e5, 0.1, Behavior::Gauge},
    {"power", "_input", "W", 1e6, 0, 1e5, 0.1, Behavior::Gauge},
    {"energy", "_input", "J", 1e6, 0, 1e15, 0.01, Behavior::Counter},
    {"in", "_input", "V", 1000, -1000, 1000, 0.01, Behavior::Gauge},
    {"fan", "_input", "rpm", 1, 0, 1e5, 10, Behavior::Gauge},
};

constexpr std::size_t max_sensors = 256;

// "temp12_input" with "temp" and "_input" -> "12"; "" when it is no such file.
std::string number_in(const std::string& file, std::string_view prefix, std::string_view suffix) {
  if (file.size() <= prefix.size() + suffix.size()) return "";
  if (file.compare(0, prefix.size(), prefix) != 0) return "";
  if (file.compare(file.size() - suffix.size(), suffix.size(), suffix) != 0) return "";
  const std::string number =
      file.substr(prefix.size(), file.size() - prefix.size() - suffix.size());
  std::uint64_t ignored = 0;
  return parse_count(number, ignored) ? number : "";
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_core_of(const std::string& chip, const std::string& label) {
  return chip.compare(0, 8, "coretemp") == 0 && label.compare(0, 5, "Core ") == 0;
}

}  // namespace

HwmonCollector::HwmonCollector(const std::string& root, const std::string& only_chip) {
  const std::string directory = root + "/sys/class/hwmon";
  std::map<std::string, int> seen;
  for (const std::string& entry : names_in(directory)) {
    std::string chip = metric_word(first_line_of(directory + '/' + entry + "/name"));
    if (!only_chip.empty() && chip != only_chip) continue;
    const int times = ++seen[chip];
    if (times > 1) chip += '-' + std::to_string(times);
    add_chip(directory + '/' + entry, chip);
  }
  if (only_chip.empty() && !has_temperature()) add_thermal_zones(root + "/sys/class/thermal");
  if (metrics_.empty() && trouble_.empty()) trouble_ = directory + ": no sensors";
}

void HwmonCollector::add_chip(const std::string& directory, const std::string& chip) {
  const std::vector<std::string> files = names_in(directory);
  for (const std::string& file : files) {
    for (const SensorKind& kind : kinds) {
      const std::string number = number_in(file, kind.prefix, kind.suffix);
      if (number.empty()) continue;
      const std::string stem = kind.prefix + number;
      // Of a power's average and its value at a moment, the average says more of the time between.
      if (kind.unit == std::string_view("W") && kind.suffix == std::string_view("_input") &&
          contains(files, stem + "_average")) {
        continue;
      }
      const std::string label = first_line_of(directory + '/' + stem + "_label");
      if (is_core_of(chip, label) && contains(files, "temp1_input")) continue;
      const std::string sensor =
          label.empty() ? stem : std::string(kind.prefix) + '_' + metric_word(label);
      add_sensor(directory + '/' + file, kind, "power." + chip + '.' + sensor);
    }
  }
}

void HwmonCollector::add_thermal_zones(const std::string& directory) {
  for (const std::string& zone : names_in(directory)) {
    if (zone.compare(0, 12, "thermal_zone") != 0) continue;
    const std::string type = metric_word(first_line_of(directory + '/' + zone + "/type"));
    add_sensor(directory + '/' + zone + "/temp", kinds[0], "power.temperature." + type);
  }
}

std::string HwmonCollector::unused(const std::string& metric) const {
  std::string name = metric;
  const auto is_taken = [&](const Metric& other) { return other.name == name; };
  for (int i = 2; std::any_of(metrics_.begin(), metrics_.end(), is_taken); ++i) {
    name = metric + '-' + std::to_string(i);
  }
  return name;
}

bool HwmonCollector::has_temperature() const {
  return std::any_of(metrics_.begin(), metrics_.end(),
                     [](const Metric& metric) { return metric.unit == "degC"; });
}

void HwmonCollector::add_sensor(const std::string& path, const SensorKind& kind,
                                const std::string& metric) {
  if (sensors_.size() == max_sensors) {
    return add_trouble(trouble_, "more than " + std::to_string(max_sensors) + " sensors: " + path +
                                     " is left out");
  }
  Sensor sensor{SourceFile(path), &kind};
  double value = 0;
  if (!read_sensor(sensor, value)) return;
  sensors_.push_back(std::move(sensor));
  Metric description;
  description.name = unused(metric);
  description.unit = kind.unit;
  description.of = MetricClass::Power;
  description.behavior = kind.behavior;
  description.resolution = kind.resolution;
  metrics_.push_back(std::move(description));
}

bool HwmonCollector::read_sensor(Sensor& sensor, double& value) {
  if (!sensor.file.read()) return add_trouble(trouble_, sensor.file.why()), false;
  std::int64_t number = 0;
  if (!parse_integer(only_line(sensor.file.text()), number)) {
    return add_trouble(trouble_, sensor.file.path() + ": not a number"), false;
  }
  const double amount = static_cast<double>(number) / sensor.kind->per_unit;
  if (amount < sensor.kind->least || amount > sensor.kind->most) {
    return add_trouble(trouble_, sensor.file.path() + ": cannot be " + std::to_string(number)),
           false;
  }
  value = amount;
  return true;
}

void HwmonCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  for (std::size_t i = 0; i < sensors_.size(); ++i) read_sensor(sensors_[i], values[i]);
}

}  // namespace hyades
