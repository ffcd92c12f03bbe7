#include "telemetry/collectors.hpp"

#include <set>
#include <utility>

#include "telemetry/cpu_collector.hpp"
#include "telemetry/frequency_collector.hpp"
#include "telemetry/hwmon_collector.hpp"
#include "telemetry/memory_collector.hpp"
#include "telemetry/network_collector.hpp"
#include "telemetry/nvml_collector.hpp"
#include "telemetry/rapl_collector.hpp"

namespace hyades {
namespace {

class Finder {
 public:
  explicit Finder(const CollectorOptions& options) : options_(options) {}

  FoundCollectors run() {
    const std::string& root = options_.root;
    keep(std::make_unique<CpuCollector>(root));
    keep(std::make_unique<MemoryCollector>(root));
    keep(std::make_unique<NetworkCollector>(root, options_.interfaces));
    keep(std::make_unique<RaplCollector>(root));
    keep(std::make_unique<HwmonCollector>(root));
    keep(std::make_unique<FrequencyCollector>(root));
    find_nvml();
    for (const AcceleratorSource& source : options_.accelerators) find_accelerator(source);
    find_energy();
    return std::move(found_);
  }

 private:
  void keep(std::unique_ptr<Collector> collector) {
    const std::string name(collector->name());
    if (!collector->trouble().empty()) found_.missing.push_back({name, collector->trouble()});
    if (collector->metrics().empty()) return;
    for (const Metric& metric : collector->metrics()) {
      if (names_.count(metric.name) == 0) continue;
      found_.missing.push_back({name, "there is a " + metric.name + " already"});
      return;
    }
    for (const Metric& metric : collector->metrics()) names_.insert(metric.name);
    found_.collectors.push_back(std::move(collector));
  }

  void find_nvml() {
    std::string why = "not looked for";
    const bool usual = options_.nvml_library.empty();
    if (!usual || options_.root.empty()) found_.nvml = Nvml::load(options_.nvml_library, why);
    if (!found_.nvml) return found_.missing.push_back({"nvml", why});
    if (!found_.nvml->trouble().empty()) {
      found_.missing.push_back({"nvml", found_.nvml->trouble()});
    }
    if (found_.nvml->devices().empty()) {
      if (found_.nvml->trouble().empty()) found_.missing.push_back({"nvml", "no device"});
      found_.nvml.reset();
      return;
    }
    for (const MetricClass of : {MetricClass::Compute, MetricClass::Memory, MetricClass::Power}) {
      keep(std::make_unique<NvmlCollector>(found_.nvml, of));
    }
  }

  void find_accelerator(const AcceleratorSource& source) {
    std::set<MetricClass> classes;
    for (const AcceleratorFigure& figure : source.figures) classes.insert(figure.of);
    for (const MetricClass of : classes) {
      keep(std::make_unique<AcceleratorCollector>(options_.root, source, of));
    }
  }

  void find_energy() {
    EnergyMeter::Sources sources;
    sources.rapl = std::make_unique<RaplCollector>(options_.root);
    sources.board = std::make_unique<HwmonCollector>(options_.root, "power_meter");
    if (found_.nvml) {
      sources.gpus = std::make_unique<NvmlCollector>(found_.nvml, MetricClass::Power);
    }
    sources.cpu = std::make_unique<CpuTimes>(options_.root);
    sources.model = options_.power_model;
    auto meter = std::make_unique<EnergyMeter>(std::move(sources));
    found_.energy_source = meter->describe();
    keep(std::move(meter));
  }

  const CollectorOptions& options_;
  FoundCollectors found_;
  std::set<std::string> names_;
};

}  // namespace

FoundCollectors find_collectors(const CollectorOptions& options) { return Finder(options).run(); }

}  // namespace hyades
