#include "telemetry/node_profiler.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "telemetry/clocks.hpp"
#include "telemetry/energy_meter.hpp"
#include "telemetry/hwmon_collector.hpp"
#include "telemetry/node_kernels.hpp"
#include "telemetry/rapl_collector.hpp"

namespace hyades {
namespace {

// Mean watts between two looks; nothing where there is no meter.
class Watts {
 public:
  Watts() : meter_(sources()) { meter_.sample(values_); }

  bool known() const { return !meter_.metrics().empty(); }

  // Since the look before; 0: it says nothing now.
  double look() {
    meter_.sample(values_);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const Metric& metric = meter_.metrics()[i];
      if (metric.name == "power.node" && !metric.modelled && values_[i] > 0) return values_[i];
    }
    return 0;
  }

 private:
  // Without processors' times the meter has no model to fall back to. GPUs are not asked: no kernel
  // uses them.
  static EnergyMeter::Sources sources() {
    EnergyMeter::Sources sources;
    sources.rapl = std::make_unique<RaplCollector>("");
    sources.board = std::make_unique<HwmonCollector>("", "power_meter");
    return sources;
  }

  EnergyMeter meter_;
  std::vector<double> values_;
};

}  // namespace

NodeProfile measure_node(const ProfilerOptions& options) {
  const auto say = [&](const char* what) {
    if (options.progress) options.progress(what);
  };
  const std::vector<int> cpus = usable_cpus();
  const std::size_t most = memory_for_kernels();
  const double seconds = options.seconds;
  NodeProfile profile;
  profile.source = kProfileSource;
  profile.measured_ms = clock_us(CLOCK_REALTIME) / 1000;
  Watts watts;
  const auto keep_watts = [&](const char* name) {
    if (const double value = watts.look(); value > 0) profile.figures[name] = value;
  };
  if (watts.known()) {
    say("watts, idle");
    watts.look();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    keep_watts("idle_w");
  }
  say("matrix multiplication, all cores");
  profile.figures["gemm_gflops"] = gemm_gflops(cpus, seconds);
  keep_watts("busy_w");
  say("memory, all cores");
  profile.figures["stream_gbs"] = triad_gbs(cpus, seconds, triad_bytes(most));
  say("memory, one core");
  profile.figures["stream_one_gbs"] = triad_gbs({cpus.front()}, seconds, triad_bytes(most));
  say("latency of memory");
  profile.figures["chase_ns"] = chase_ns(cpus.front(), seconds, chase_bytes(most));
  say("disk");
  profile.figures["disk_mbs"] = disk_mbs(options.directory, seconds);
  return profile;
}

}  // namespace hyades
