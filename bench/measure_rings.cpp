#include <time.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "core/prng.hpp"
#include "measurements.hpp"
#include "telemetry/sampling_plan.hpp"
#include "telemetry/telemetry_engine.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "An hour of readings";
constexpr WallMs kHourMs = 3'600'000;
constexpr WallMs kBegin_ms = 1'750'000'000'000;
constexpr double kPromised_mb[kMetricClasses] = {24, 18, 15, 8, 12};
constexpr const char* kClassNames[kMetricClasses] = {"compute", "memory", "network", "power",
                                                     "application"};

// How a made-up source behaves while a job runs.
struct Shape {
  const char* name;
  MetricClass of;
  double resolution;
  double middle;  // of a gauge; of a counter: a second
  double spread;  // what it usually moves by from one reading to the next
  bool counts = false;
};

// What a node with one GPU and one network interface shows.
const std::vector<Shape>& shapes() {
  using enum MetricClass;
  static const std::vector<Shape> all = {
      {"cpu.user", Compute, 0.1, 70, 4},
      {"cpu.system", Compute, 0.1, 6, 1},
      {"cpu.iowait", Compute, 0.1, 2, 0.5},
      {"cpu.runnable", Compute, 1, 16, 1},
      {"cpu.switches", Compute, 1, 20e3, 3e3, true},
      {"cpu.instructions", Compute, 1e3, 30e9, 2e9, true},
      {"gpu0.busy", Compute, 1, 85, 5},
      {"gpu0.memory_busy", Compute, 1, 40, 5},
      {"memory.used", Memory, 1, 48e3, 30},
      {"memory.cached", Memory, 1, 90e3, 10},
      {"memory.dirty", Memory, 1, 200, 20},
      {"memory.faults", Memory, 1, 5e3, 1e3, true},
      {"memory.pressure", Memory, 0.01, 0.5, 0.1},
      {"memory.swapped", Memory, 1, 0, 0},
      {"gpu0.memory", Memory, 1, 30e3, 5},
      {"net.eth0.rx_bytes", Network, 1, 200e6, 50e6, true},
      {"net.eth0.tx_bytes", Network, 1, 150e6, 50e6, true},
      {"net.eth0.rx_packets", Network, 1, 150e3, 30e3, true},
      {"net.eth0.tx_packets", Network, 1, 120e3, 30e3, true},
      {"net.eth0.drops", Network, 1, 0, 0, true},
      {"net.tcp.established", Network, 1, 120, 1},
      {"net.tcp.time_wait", Network, 1, 30, 3},
      {"power.package0", Power, 0.001, 180, 15, true},
      {"power.dram0", Power, 0.001, 30, 3, true},
      {"power.gpu0", Power, 0.1, 320, 12},
      {"temp.package0", Power, 1, 68, 0.7},
      {"freq.mean", Power, 1, 2900, 40},
      {"app.tasks_done", Application, 1, 3, 1, true},
      {"app.queued", Application, 1, 40, 1},
      {"app.loss", Application, 1e-4, 0.8, 2e-3},
  };
  return all;
}

class WalkCollector final : public Collector {
 public:
  WalkCollector(MetricClass of, bool busy, const BootMs& now_ms)
      : now_ms_(now_ms), busy_(busy), prng_(static_cast<std::uint64_t>(of) + 1) {
    for (const Shape& shape : shapes()) {
      if (shape.of != of) continue;
      shapes_.push_back(shape);
      values_.push_back(shape.counts ? 1e9 : shape.middle);
      metrics_.push_back({.name = shape.name,
                          .unit = "",
                          .of = of,
                          .behavior = shape.counts ? Behavior::Counter : Behavior::Gauge,
                          .resolution = shape.resolution});
    }
    name_ = std::string("walk.") + kClassNames[static_cast<int>(of)];
  }

  std::string_view name() const override { return name_; }
  const std::vector<Metric>& metrics() const override { return metrics_; }
  const std::string& trouble() const override { return trouble_; }

  void sample(std::vector<double>& values) override {
    const double seconds = static_cast<double>(now_ms_ - then_ms_) / 1000;
    then_ms_ = now_ms_;
    for (std::size_t i = 0; i < shapes_.size(); ++i) move(i, seconds);
    values = values_;
  }

 private:
  // About normal, of a deviation of 1: the sum of four numbers that are as likely each.
  double noise() {
    const std::uint64_t word = prng_.next();
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<double>(word >> (16 * i) & 0xffff) / 65536 - 0.5;
    return sum * std::sqrt(3.0);
  }

  void move(std::size_t i, double seconds) {
    const Shape& shape = shapes_[i];
    const double activity = busy_ ? 1 : 0.01;
    if (shape.counts) {
      const double rate = activity * (shape.middle + shape.spread * noise());
      values_[i] += std::max(rate, 0.0) * seconds;
    } else {
      values_[i] += activity * shape.spread * noise() + 0.05 * (shape.middle - values_[i]);
      values_[i] = std::max(values_[i], 0.0);
    }
  }

  const BootMs& now_ms_;
  bool busy_;
  Prng prng_;
  BootMs then_ms_ = 0;
  std::string name_;
  std::vector<Metric> metrics_;
  std::vector<Shape> shapes_;
  std::vector<double> values_;
  std::string trouble_;
};

double cpu_s() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// An hour of a node, as fast as it goes.
class Hour {
 public:
  explicit Hour(bool busy) : plan_({}, 0) {
    std::vector<std::unique_ptr<Collector>> collectors;
    for (int of = 0; of < kMetricClasses; ++of) {
      collectors.push_back(
          std::make_unique<WalkCollector>(static_cast<MetricClass>(of), busy, now_ms_));
    }
    // Room for all of it: it is the rate that is asked for.
    EngineOptions options{.ring_bytes = 64u << 20};
    options.retention_ms.fill(2 * kHourMs);
    engine_ = std::make_unique<TelemetryEngine>(std::move(collectors), options);
    plan_.set_busy(busy, 0);
    const double begin_s = cpu_s();
    while (plan_.next_wake_ms() <= kHourMs) turn();
    cpu_s_ = cpu_s() - begin_s;
    for (const Metric& metric : engine_->metrics()) measure(metric);
  }

  double bytes_of(int of) const { return bytes_[of]; }
  double bytes() const { return bytes_[0] + bytes_[1] + bytes_[2] + bytes_[3] + bytes_[4]; }
  double readings() const { return readings_; }
  double cpu_seconds() const { return cpu_s_; }
  double ring_bytes() const { return static_cast<double>(engine_->ring_bytes()); }

 private:
  // A sleeper wakes up a little late, and now and then a good deal.
  void turn() {
    now_ms_ = plan_.next_wake_ms() + (prng_.chance(20) ? prng_.between(2, 12) : prng_.chance(300));
    engine_->run(plan_.due(now_ms_), {kBegin_ms + now_ms_, now_ms_});
  }

  void measure(const Metric& metric) {
    const Series series = *engine_->history(metric.name, 0);
    const std::string bytes = encode(series);
    Series again;
    if (!decode(bytes, again) || again.readings.size() != series.readings.size()) {
      throw std::runtime_error("a series did not come back from its bytes");
    }
    bytes_[static_cast<std::size_t>(metric.of)] += static_cast<double>(bytes.size());
    readings_ += static_cast<double>(series.readings.size());
  }

  BootMs now_ms_ = 0;
  SamplingPlan plan_;
  Prng prng_{1};
  std::unique_ptr<TelemetryEngine> engine_;
  double bytes_[kMetricClasses] = {};
  double readings_ = 0;
  double cpu_s_ = 0;
};

void report_busy(Bench& bench, const Hour& hour) {
  const auto add = [&](const std::string& name, double value, const char* unit) -> Figure& {
    return bench.report.add({.section = kSection, .name = name, .value = value, .unit = unit});
  };
  add("readings, of 30 metrics", hour.readings(), "");
  for (int of = 0; of < kMetricClasses; ++of) {
    Figure& figure =
        add(std::string("compressed, ") + kClassNames[of], hour.bytes_of(of) / 1e6, "MB");
    figure.bar = Bar::AtMost;
    figure.limit = kPromised_mb[of];
  }
  Figure& all = add("compressed, all classes", hour.bytes() / 1e6, "MB");
  all.bar = Bar::AtMost;
  all.limit = 77;
  add("a reading", hour.bytes() / hour.readings(), "bytes");
  add("memory of the rings", hour.ring_bytes() / 1e6, "MB");
  add("CPU time to keep a reading", hour.cpu_seconds() / hour.readings() * 1e9, "ns");
  add("of one core", 100 * hour.cpu_seconds() / 3600, "%");
}

}  // namespace

void measure_rings(Bench& bench) {
  bench.report.explain(
      kSection,
      "What a node keeps of an hour in which a job runs: 30 made-up metrics (random walks and "
      "counters with noisy rates) at the default periods, with wake-ups that come a little late. "
      "The bars are what each class may take in an hour and a node. CPU time is that of "
      "everything but the looking: to make the values up, to compress them and to sum them up. "
      "Then the same hour with no job, when the periods are ten times as long.");
  bench.progress.say("rings: an hour with a job");
  report_busy(bench, Hour(true));
  bench.progress.say("rings: an hour without");
  const Hour idle(false);
  bench.report.add({.section = kSection,
                    .name = "compressed, all classes, when no job runs",
                    .value = idle.bytes() / 1e6,
                    .unit = "MB"});
}

}  // namespace hyades
