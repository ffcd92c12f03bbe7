#include "disk_probe.hpp"
#include "job_factory.hpp"
#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "submit_swarm.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "Submissions";
constexpr double kBar_per_s = 2000;
constexpr double kDiskProbe_s = 1;

// What the repetitions with one number of connections gave.
struct Series {
  int connections = 1;
  SampleSet rate;
  SampleSet acks_per_commit;
  SampleSet latency_ms;
};

void repeat_once(const ScratchCluster& cluster, JobFactory& factory, double seconds,
                 Series& series) {
  SubmitSwarm swarm(cluster.state_directory(), series.connections);
  const auto before = cluster.status().commits();
  const auto next = [&](pb::ClientRequest& request) {
    factory.fill_nominal(request);
    return true;
  };
  const SubmitSwarm::Result result = swarm.run(next, seconds);
  const auto commits = cluster.status().commits() - before;
  series.rate.add(result.rate());
  series.latency_ms.add(result.latency_ms);
  if (commits > 0) {
    series.acks_per_commit.add(static_cast<double>(result.acks) / static_cast<double>(commits));
  }
}

void report_series(const Series& series, Report& report) {
  const std::string with = ", " + std::to_string(series.connections) +
                           (series.connections == 1 ? " connection" : " connections");
  Figure& rate = report.add(kSection, "durable submissions" + with, series.rate, "/s");
  if (series.connections > 1) {
    rate.bar = Bar::AtLeast;
    rate.limit = kBar_per_s;
  }
  for (const double part : {0.5, 0.99}) {
    report.add({.section = kSection,
                .name = "time to the answer" + with + (part < 0.6 ? ", p50" : ", p99"),
                .value = series.latency_ms.quantile(part),
                .unit = "ms"});
  }
  report.add(kSection, "submissions a commit" + with, series.acks_per_commit, "");
}

}  // namespace

void measure_acks(Bench& bench) {
  bench.report.explain(
      kSection,
      "Clients with one request outstanding each, in one thread that shares the cores with the "
      "master; 4 idle virtual nodes. Each job has a script of 2 KB of its own, 50 environment "
      "variables of 40 bytes, a token, and is held, so that nothing runs. An answer means: "
      "committed with `synchronous=FULL`. The disk's own rate (append 4 KiB, fdatasync) is "
      "measured between the repetitions.");
  const ScratchCluster cluster({.parent = bench.options.directory});
  JobFactory factory(cluster.root(), "acks");
  Series one{.connections = 1};
  Series many{.connections = 64};
  SampleSet disk_rate;
  for (int round = 1; round <= bench.options.rounds; ++round) {
    bench.progress.say("acks: round " + std::to_string(round) + " of " +
                       std::to_string(bench.options.rounds));
    const SampleSet disk_ms =
        probe_disk(cluster.root(), std::min(kDiskProbe_s, bench.options.seconds));
    disk_rate.add(1000 / disk_ms.median());
    repeat_once(cluster, factory, bench.options.seconds, one);
    repeat_once(cluster, factory, bench.options.seconds, many);
  }
  report_series(one, bench.report);
  report_series(many, bench.report);
  bench.report.add(kSection, "for comparison: fdatasync of the same disk", disk_rate, "/s");
}

}  // namespace hyades
