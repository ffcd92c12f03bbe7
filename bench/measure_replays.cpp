#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "hsim/replay.hpp"
#include "measurements.hpp"
#include "policy/backfill_policy.hpp"
#include "telemetry/clocks.hpp"
#include "trace/workload_model.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "Replays";
constexpr int kProcs = 1024;

struct Point {
  double size = 0;
  double cpu_s = 0;
};

// Of log(time) against log(size), by least squares: 1 is linear.
double slope(const std::vector<Point>& points) {
  double x = 0, y = 0, xx = 0, xy = 0;
  for (const Point& point : points) {
    const double a = std::log(point.size);
    const double b = std::log(point.cpu_s);
    x += a, y += b, xx += a * a, xy += a * b;
  }
  const auto n = static_cast<double>(points.size());
  return (n * xy - x * y) / (n * xx - x * x);
}

double replay_cpu_s(const Workload& workload, QueueOrder order, bool guard) {
  ReplayOptions options;
  ClusterConfig config = pool_of(workload.procs, order, Backfill::Easy);
  config.guard.enabled = guard;
  options.config = std::make_shared<ClusterConfig>(std::move(config));
  BackfillPolicy policy(origin_ms(workload));
  const std::int64_t begin_us = thread_cpu_us();
  replay(workload, policy, options);
  return static_cast<double>(thread_cpu_us() - begin_us) / 1e6;
}

Workload jobs_of(std::int64_t count) {
  WorkloadModel model;
  model.procs = kProcs;
  model.jobs = count;
  model.load = 0.85;
  model.users = 100;
  model.over_estimates = true;
  return generate_workload(model);
}

void by_length(Bench& bench, QueueOrder order, const std::vector<std::int64_t>& lengths) {
  std::vector<Point> points;
  const std::string name(to_string(order));
  for (const std::int64_t length : lengths) {
    bench.progress.say("replays: " + name + ", " + std::to_string(length) + " jobs");
    const double cpu_s = replay_cpu_s(jobs_of(length), order, false);
    points.push_back({static_cast<double>(length), cpu_s});
    bench.report.add({.section = kSection,
                      .name = name + ", a log of " + std::to_string(length) + " jobs",
                      .value = static_cast<double>(length) / cpu_s,
                      .unit = "jobs/s"});
  }
  if (points.size() < 2) return;
  bench.report.add({.section = kSection,
                    .name = name + ", slope of time against jobs",
                    .value = slope(points),
                    .unit = ""});
}

// All jobs are there from the beginning.
void by_queue(Bench& bench, QueueOrder order, const std::vector<std::int64_t>& queues) {
  std::vector<Point> points;
  const std::string name(to_string(order));
  for (const std::int64_t queued : queues) {
    bench.progress.say("replays: " + name + ", " + std::to_string(queued) + " wait");
    Workload workload = jobs_of(queued);
    for (TraceJob& job : workload.jobs) job.submit_s = 0;
    const double cpu_s = replay_cpu_s(workload, order, false) / static_cast<double>(queued);
    points.push_back({static_cast<double>(queued), cpu_s});
    bench.report.add({.section = kSection,
                      .name = name + ", " + std::to_string(queued) + " jobs at once, each",
                      .value = cpu_s * 1e6,
                      .unit = "us"});
  }
  if (points.size() < 2) return;
  bench.report.add({.section = kSection,
                    .name = name + ", slope of time for a job against the queue",
                    .value = slope(points),
                    .unit = ""});
}

}  // namespace

void measure_replays(Bench& bench) {
  bench.report.explain(
      kSection,
      "CPU time of hsim's engine, reading of logs aside: generated logs on 1,024 processors (load "
      "0.85, a hundred users who over-estimate) through the controller with EASY and without the "
      "guard. A slope of 1 against jobs is linear; against the queue, 0 says that its length "
      "costs nothing.");
  const bool smoke = bench.options.smoke;
  const std::vector<std::int64_t> lengths =
      smoke ? std::vector<std::int64_t>{1000}
            : std::vector<std::int64_t>{10'000, 100'000, 1'000'000};
  const std::vector<std::int64_t> queues =
      smoke ? std::vector<std::int64_t>{100}
            : std::vector<std::int64_t>{100, 1000, 10'000, 100'000};
  for (const QueueOrder order : {QueueOrder::Fcfs, QueueOrder::Saf}) {
    by_length(bench, order, lengths);
    by_queue(bench, order, queues);
  }
}

}  // namespace hyades
