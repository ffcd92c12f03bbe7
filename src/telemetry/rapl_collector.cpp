#include "telemetry/rapl_collector.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/fields.hpp"

namespace hyades {
namespace {

constexpr double joules_per_microjoule = 1e-6;
constexpr double kept_joules = 0.01;

bool starts_with(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

// "package-0" -> "package0", "package-1-die-0" -> "package1_die0".
std::string short_name(std::string zone) {
  for (const std::string_view word : {"package-", "die-"}) {
    const std::size_t at = zone.find(word);
    if (at != std::string::npos) zone.erase(at + word.size() - 1, 1);
  }
  std::replace(zone.begin(), zone.end(), '-', '_');
  return metric_word(zone);
}

// What follows "package" is the package's number; memory has that of the package it belongs to.
std::string memory_name(const std::string& package) {
  const std::string_view word = "package";
  return starts_with(package, word) ? "dram" + package.substr(word.size()) : "dram_" + package;
}

}  // namespace

RaplCollector::RaplCollector(const std::string& root) {
  const std::string powercap = root + "/sys/class/powercap";
  const std::string_view prefix = "intel-rapl:";
  for (const std::string& zone : names_in(powercap)) {
    if (!starts_with(zone, prefix)) continue;
    const std::size_t inner = zone.find(':', prefix.size());
    const std::string own_name = first_line_of(powercap + '/' + zone + "/name");
    if (inner == std::string::npos) {
      if (starts_with(own_name, "package-") || own_name == "psys") {
        add_zone(powercap + '/' + zone, "power." + short_name(own_name));
      }
    } else if (own_name == "dram") {
      const std::string package = first_line_of(powercap + '/' + zone.substr(0, inner) + "/name");
      add_zone(powercap + '/' + zone, "power." + memory_name(short_name(package)));
    }
  }
  if (metrics_.empty() && trouble_.empty()) trouble_ = powercap + ": no energy counters";
}

void RaplCollector::add_zone(const std::string& directory, const std::string& name) {
  const bool taken = std::any_of(metrics_.begin(), metrics_.end(),
                                 [&](const Metric& metric) { return metric.name == name; });
  if (taken) return add_trouble(trouble_, directory + ": a second " + name + " is left out");
  std::uint64_t range = 0;
  parse_count(first_line_of(directory + "/max_energy_range_uj"), range);
  Metric metric;
  metric.name = name;
  metric.unit = "J";
  metric.of = MetricClass::Power;
  metric.behavior = Behavior::Counter;
  metric.resolution = kept_joules;
  metric.wraps_at = static_cast<double>(range) * joules_per_microjoule;
  SourceFile file(directory + "/energy_uj");
  double joules = 0;
  if (!read_energy(file, metric.wraps_at, joules)) return;
  counters_.push_back(std::move(file));
  metrics_.push_back(std::move(metric));
}

bool RaplCollector::read_energy(SourceFile& file, double wraps_at, double& joules) {
  if (!file.read()) return add_trouble(trouble_, file.why()), false;
  std::uint64_t microjoules = 0;
  if (!parse_count(only_line(file.text()), microjoules)) {
    return add_trouble(trouble_, file.path() + ": not a number of microjoules"), false;
  }
  const double value = static_cast<double>(microjoules) * joules_per_microjoule;
  if (wraps_at > 0 && value > wraps_at * (1 + 1e-9)) {
    return add_trouble(trouble_, file.path() + ": more than its own range"), false;
  }
  joules = value;
  return true;
}

void RaplCollector::sample(std::vector<double>& values) {
  values.assign(metrics_.size(), kNoReading);
  trouble_.clear();
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    read_energy(counters_[i], metrics_[i].wraps_at, values[i]);
  }
}

}  // namespace hyades
