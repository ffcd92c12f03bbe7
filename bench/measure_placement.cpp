#include <initializer_list>
#include <memory>
#include <stdexcept>

#include "child_program.hpp"
#include "measurements.hpp"
#include "quota_group.hpp"
#include "scratch_cluster.hpp"
#include "submit_swarm.hpp"

namespace hyades {
namespace {

constexpr const char* kSection = "Where jobs go";
constexpr double kSlowShare = 0.25;
constexpr int kUnit_us = 10;  // about; of hyades_bench_spin

struct PlacedJob {
  const char* work;      // its class
  double seconds;        // on the fast node
  bool computes = true;  // else it sleeps
};

struct Case {
  std::string name;
  std::vector<PlacedJob> jobs;  // in the order in which they are submitted
};

// Two nodes, the first of which is slow; two queues on both, one of them without phase 2.
class PlacementRun {
 public:
  explicit PlacementRun(Bench& bench)
      : bench_(bench),
        slow_(kSlowShare),
        cluster_({.parent = bench.options.directory,
                  .nodes = 2,
                  .cores_per_node = 1,
                  .config = "[[class]]\nname = \"waits\"\n"
                            "[[queue]]\nname = \"placed\"\n"
                            "[[queue]]\nname = \"first-fit\"\nplacement = false\n"}) {
    for (const NamedProcess& process : cluster_.processes()) {
      if (process.name == "launcher vn1") slow_.add(process.pid);
    }
    for (const char* const node : {"vn1", "vn2"}) {  // in turn: they are one machine
      if (run({"hctl", "node", "profile", node}).exit_code != 0) {
        throw std::runtime_error("`hctl node profile` failed");
      }
    }
  }

  void measure(const Case& its) {
    SampleSet first_fit, placed, ratios;
    for (int round = 0; round < bench_.options.rounds; ++round) {
      bench_.progress.say("placement: " + its.name + ", round " + std::to_string(round + 1) +
                          " of " + std::to_string(bench_.options.rounds));
      // Each goes first in turn.
      const bool swap = round % 2 == 1;
      const double one = makespan(its, swap ? "placed" : "first-fit");
      const double two = makespan(its, swap ? "first-fit" : "placed");
      first_fit.add(swap ? two : one);
      placed.add(swap ? one : two);
      ratios.add((swap ? one : two) / (swap ? two : one));
    }
    bench_.report.add(kSection, its.name + ": first fit", first_fit, "s");
    bench_.report.add(kSection, its.name + ": phase 2", placed, "s");
    bench_.report.add(kSection, its.name + ": phase 2 / first fit", ratios, "");
  }

 private:
  ProgramResult run(std::vector<std::string> words) const {
    words.front() = program_directory() + "/" + words.front();
    words.insert(words.end(), {"--dir", cluster_.state_directory()});
    return run_program(words);
  }

  // From the first submission until nothing runs.
  double makespan(const Case& its, const std::string& queue) const {
    const double begin_s = now_s();
    for (const PlacedJob& job : its.jobs) {
      const auto units = static_cast<long>(1e6 * job.seconds / kUnit_us);
      const std::string command =
          job.computes ? program_directory() + "/hyades_bench_spin work:" + std::to_string(units)
                       : "sleep " + std::to_string(job.seconds);
      const ProgramResult hsub = run({"hsub", "--queue", queue, "--class", job.work, "--time", "10",
                                      "--output", "/dev/null", "--wrap", "exec " + command});
      if (hsub.exit_code != 0) throw std::runtime_error("hsub failed");
    }
    cluster_.wait_until_empty();
    return now_s() - begin_s;
  }

  Bench& bench_;
  QuotaGroup slow_;  // outlives the cluster
  ScratchCluster cluster_;
};

}  // namespace

void measure_placement(Bench& bench) {
  bench.report.explain(
      kSection,
      "Makespans of a few jobs on two nodes of a local cluster, from the first hsub until nothing "
      "runs, "
      "with phase 2 and without, in turn. The node that first fit takes first has a quarter of a "
      "processor, by the quota of a control group; what it can do was measured by `hctl node "
      "profile`. Computing jobs are of class `compute`, sleeping ones of a class for which all "
      "nodes are alike. Of *short, then long* each order is shown: first fit puts the first one "
      "that comes on "
      "the slow node, phase 2 on the fast one, and neither knows what comes next.");
  const double s = bench.options.seconds;
  std::unique_ptr<PlacementRun> run;
  try {
    run = std::make_unique<PlacementRun>(bench);
  } catch (const std::runtime_error& error) {
    bench.progress.say(std::string("placement: skipped: ") + error.what());
    return;
  }
  for (const Case& its : std::initializer_list<Case>{
           {"one computes", {{"compute", s}}},
           {"one computes, one sleeps", {{"compute", s}, {"waits", 2 * s, false}}},
           {"one sleeps, one computes", {{"waits", 2 * s, false}, {"compute", s}}},
           {"long, then short", {{"compute", s}, {"compute", s / 4}}},
           {"short, then long", {{"compute", s / 4}, {"compute", s}}}}) {
    run->measure(its);
  }
}

}  // namespace hyades
