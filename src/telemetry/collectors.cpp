#include "telemetry/collectors.hpp"

#include <mutex>
#include <set>
#include <utility>

#include "telemetry/cpu_collector.hpp"
#include "telemetry/fields.hpp"
#include "telemetry/frequency_collector.hpp"
#include "telemetry/hwmon_collector.hpp"
#include "telemetry/memory_collector.hpp"
#include "telemetry/network_collector.hpp"
#include "telemetry/nvml_collector.hpp"
#include "telemetry/rapl_collector.hpp"

namespace hyades {
namespace {

// Written by a thread that may come too late for whoever reads it.
class LateText {
 public:
  void set(std::string text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    text_ = std::move(text);
  }
  std::string get() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

class Finder {
 public:
  explicit Finder(const CollectorOptions& options) : options_(options) {}

  FoundCollectors run() {
    const std::string& root = options_.root;
    keep(std::make_unique<CpuCollector>(root));
    keep(std::make_unique<MemoryCollector>(root));
    keep(std::make_unique<NetworkCollector>(root, options_.interfaces));
    keep(std::make_unique<RaplCollector>(root));
    keep(guarded("hwmon", [root] { return std::make_unique<HwmonCollector>(root); }));
    keep(std::make_unique<FrequencyCollector>(root));
    find_nvml();
    for (const AcceleratorSource& source : options_.accelerators) find_accelerator(source);
    find_energy();
    return std::move(found_);
  }

 private:
  // `make` may outlive this object.
  std::unique_ptr<Collector> guarded(const std::string& name, CollectorOptions::Make make) {
    if (!options_.make_guarded) return make();
    return options_.make_guarded(name, std::move(make));
  }

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
    std::string why = "a tree of files has none";
    const bool usual = options_.nvml_library.empty();
    std::shared_ptr<Nvml> nvml;
    if (!usual || options_.root.empty()) nvml = Nvml::load(options_.nvml_library, why);
    if (!nvml) return found_.missing.push_back({"nvml", why});
    for (const MetricClass of : {MetricClass::Compute, MetricClass::Memory, MetricClass::Power}) {
      auto collector = guarded("nvml." + std::string(word_of(metric_class_words, of)),
                               [nvml, of] { return std::make_unique<NvmlCollector>(nvml, of); });
      // It is enough to be told once, and to wait once, that there is none.
      if (!nvml->is_started() || nvml->devices().empty()) {
        return found_.missing.push_back({"nvml", collector->trouble()});
      }
      found_.nvml = nvml;
      keep(std::move(collector));
    }
    const auto board = std::make_shared<GpuProcessBoard>(nvml->devices().size());
    keep(guarded("nvml.processes",
                 [nvml, board] { return std::make_unique<GpuProcessCollector>(nvml, board); }));
    found_.gpu_processes = board;
  }

  void find_accelerator(const AcceleratorSource& source) {
    std::set<MetricClass> classes;
    for (const AcceleratorFigure& figure : source.figures) classes.insert(figure.of);
    for (const MetricClass of : classes) {
      keep(guarded(metric_word(source.kind) + '.' + std::string(word_of(metric_class_words, of)),
                   [root = options_.root, source, of] {
                     return std::make_unique<AcceleratorCollector>(root, source, of);
                   }));
    }
  }

  void find_energy() {
    const auto described = std::make_shared<LateText>();
    const auto make = [root = options_.root, model = options_.power_model, nvml = found_.nvml,
                       described]() -> std::unique_ptr<Collector> {
      EnergyMeter::Sources sources;
      sources.rapl = std::make_unique<RaplCollector>(root);
      sources.board = std::make_unique<HwmonCollector>(root, "power_meter");
      if (nvml) sources.gpus = std::make_unique<NvmlCollector>(nvml, MetricClass::Power);
      sources.cpu = std::make_unique<CpuTimes>(root);
      sources.model = model;
      auto meter = std::make_unique<EnergyMeter>(std::move(sources));
      described->set(meter->describe());
      return meter;
    };
    keep(guarded("energy", make));
    found_.energy_source = described->get();
  }

  const CollectorOptions& options_;
  FoundCollectors found_;
  std::set<std::string> names_;
};

}  // namespace

FoundCollectors find_collectors(const CollectorOptions& options) { return Finder(options).run(); }

}  // namespace hyades
