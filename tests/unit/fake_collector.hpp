// A collector that reads what a test says, and an engine made of such.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "telemetry/telemetry_engine.hpp"

namespace hyades {

class FakeCollector : public Collector {
 public:
  FakeCollector(std::string name, std::vector<Metric> metrics)
      : values(metrics.size(), 0), name_(std::move(name)), metrics_(std::move(metrics)) {}

  std::string_view name() const override { return name_; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  void sample(std::vector<double>& to) override {
    ++samples;
    to = values;
  }
  const std::string& trouble() const override { return wrong; }
  std::int64_t cpu_elsewhere_us() const override { return elsewhere_us; }

  std::vector<double> values;
  std::string wrong;
  std::int64_t elsewhere_us = 0;
  int samples = 0;

 private:
  std::string name_;
  std::vector<Metric> metrics_;
};

inline Metric gauge(const std::string& name, MetricClass of = MetricClass::Compute) {
  return {.name = name, .unit = "%", .of = of, .resolution = 0.1};
}

inline Metric counter(const std::string& name, MetricClass of = MetricClass::Network) {
  return {.name = name, .unit = "bytes", .of = of, .behavior = Behavior::Counter, .wraps_at = 1e6};
}

struct Node {
  FakeCollector* add(const std::string& name, std::vector<Metric> metrics) {
    auto made = std::make_unique<FakeCollector>(name, std::move(metrics));
    FakeCollector* const raw = made.get();
    collectors.push_back(std::move(made));
    return raw;
  }
  std::unique_ptr<TelemetryEngine> engine(EngineOptions options = {}) {
    return std::make_unique<TelemetryEngine>(std::move(collectors), std::move(options));
  }
  std::vector<std::unique_ptr<Collector>> collectors;
};

}  // namespace hyades
