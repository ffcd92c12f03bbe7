#include <memory>
#include <stdexcept>

#include "measurements.hpp"
#include "namespace_cluster.hpp"
#include "submit_swarm.hpp"

namespace hyades {
namespace {

using test::ClusterOptions;
using test::Json;
using test::NamespaceCluster;

constexpr const char* kSection = "Racks";
constexpr int kUplinkKbit = 200'000;
constexpr int kRoundBytes = 2 << 20;  // that cross the cable each way, in a round of two ranks

// First fit takes n1 and n2, which are far from each other.
constexpr const char* kConfig =
    "group = \"left\"\n\n[[node]]\nname = \"n2,n4\"\ncores = 2\ngroup = \"right\"\n\n"
    "[[queue]]\nname = \"placed\"\n[[queue]]\nname = \"first-fit\"\nplacement = false\n";

class RacksRun {
 public:
  explicit RacksRun(Bench& bench)
      : bench_(bench),
        cluster_({.nodes = 4, .cores = 2, .config = kConfig, .node_names = "n1,n3"}) {
    cluster_.put_far({"n2", "n4"}, kUplinkKbit);
    cluster_.must_up();
    if (!cluster_.wait_until_responding(cluster_.nodes())) throw std::runtime_error("no nodes");
  }

  void measure_links() {
    run_job("mpirun " + test::program("hyades-links") + " --json", "placed", 4, "links");
    const Json found = Json::parse(cluster_.read_file("links"), nullptr, false);
    if (found.is_discarded())
      throw std::runtime_error("hyades-links: " + cluster_.read_file("links"));
    SampleSet near, far;
    for (const Json& link : found["links"]) {
      const bool left_a = in_left(link["from"]), left_b = in_left(link["to"]);
      (left_a == left_b ? near : far).add(link["mb_s"].get<double>());
    }
    bench_.report.add(kSection, "links within a rack", near, "MB/s");
    bench_.report.add(kSection, "links between racks", far, "MB/s");
    bench_.report.add({kSection, "found by hyades-links: far",
                       found["far"].is_null() ? 1.0 : found["far"].get<double>(), ""});
  }

  void measure_exchange() {
    const double far_s = bench_.options.seconds;  // about
    const int rounds = std::max(1, static_cast<int>(far_s * kUplinkKbit * 1000 / 8 / kRoundBytes));
    const std::string command =
        "mpirun " + test::program("hyades_bench_exchange") + " " + std::to_string(rounds);
    SampleSet first_fit, placed, ratios;
    for (int round = 0; round < bench_.options.rounds; ++round) {
      bench_.progress.say("racks: round " + std::to_string(round + 1) + " of " +
                          std::to_string(bench_.options.rounds));
      const bool swap = round % 2 == 1;
      const double one = run_job(command, swap ? "placed" : "first-fit", 2, "exchange");
      const double two = run_job(command, swap ? "first-fit" : "placed", 2, "exchange");
      first_fit.add(swap ? two : one);
      placed.add(swap ? one : two);
      ratios.add((swap ? one : two) / (swap ? two : one));
    }
    bench_.report.add(kSection, "two ranks that talk: first fit", first_fit, "s");
    bench_.report.add(kSection, "two ranks that talk: phase 2", placed, "s");
    bench_.report.add(kSection, "two ranks that talk: phase 2 / first fit", ratios, "");
  }

 private:
  static bool in_left(const std::string& node) { return node == "n1" || node == "n3"; }

  // From hsub to the end.
  double run_job(const std::string& command, const std::string& queue, int nodes,
                 const std::string& output) {
    const double begin_s = now_s();
    const test::JobId job = cluster_.must_wrap(
        command, {"-N", std::to_string(nodes), "--ntasks-per-node=1", "--class=network", "--time",
                  "10", "--queue", queue, "-o", output, "-e", output + ".err"});
    const Json end = cluster_.must_wait(job);
    if (end["state"] != "COMPLETED") {
      throw std::runtime_error("a job failed: " + cluster_.read_file(output));
    }
    return now_s() - begin_s;
  }

  Bench& bench_;
  NamespaceCluster cluster_;
};

}  // namespace

void measure_racks(Bench& bench) {
  bench.report.explain(
      kSection,
      "Four machines in network namespaces of one, two in each of two racks, with a cable of 200 "
      "Mbit/s between the racks (a token bucket at both ends) and none that is limited within "
      "them; "
      "they are listed so that neighbours are in different racks. An MPI job of two ranks, one on "
      "a "
      "node, of class `network` sends a MiB each way again and again: from hsub to its end. "
      "`group` "
      "says which nodes are in one rack; `hyades-links` has found the same. All machines share the "
      "processors of one, so that the network within a rack is as fast as they are.");
  if (const std::string why = NamespaceCluster::obstacle(); !why.empty()) {
    bench.progress.say("racks: skipped: " + why);
    return;
  }
  RacksRun run(bench);
  run.measure_links();
  run.measure_exchange();
}

}  // namespace hyades
