#include <chrono>
#include <cmath>
#include <thread>

#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "submit_swarm.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "Idle processes";
constexpr double kBar_percent = 0.5;
constexpr double kSettle_s = 3;

void sleep_s(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

}  // namespace

void measure_idle(Bench& bench) {
  bench.report.explain(
      kSection,
      "CPU time of each process of a cluster with 4 virtual nodes in which nothing happens, over " +
          std::to_string(std::lround(bench.options.idle_seconds)) +
          " s, as a part of one core: the larger of what /proc/PID/stat and the scheduler say.");
  const ScratchCluster cluster({.parent = bench.options.directory});
  bench.progress.say("idle: watching");
  sleep_s(std::min(kSettle_s, bench.options.idle_seconds));
  const std::vector<NamedProcess> processes = cluster.processes();
  sleep_s(0.5);  // asking was work, too
  std::vector<CpuTime> before;
  for (const NamedProcess& process : processes) before.push_back(cpu_time(process.pid));
  const double begin_s = now_s();
  sleep_s(bench.options.idle_seconds);
  std::vector<CpuTime> after;
  for (const NamedProcess& process : processes) after.push_back(cpu_time(process.pid));
  const double seconds = now_s() - begin_s;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    bench.report.add({.section = kSection,
                      .name = processes[i].name,
                      .value = 100 * cpu_between(before[i], after[i]) / seconds,
                      .unit = "% of a core",
                      .bar = Bar::AtMost,
                      .limit = kBar_percent});
  }
}

}  // namespace hyades
