#include <optional>
#include <stdexcept>
#include <thread>

#include "child_program.hpp"
#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "submit_swarm.hpp"

namespace hyades {
namespace {

constexpr const char* kSection = "Idle cores";
constexpr int kUnit_us = 10;  // about; of hyades_bench_spin
constexpr double kPatience_s = 30;

// One node with two cores; two queues on it, one of which lends.
class LendingRun {
 public:
  explicit LendingRun(Bench& bench) : bench_(bench) {
    start_anew();
    const std::string job = submit("elastic", both(kPatience_s));
    const bool lends = is_lent(job);
    end(job);
    if (!lends) throw std::runtime_error("nothing is lent here: `hinfo --layers` would say why");
  }

  void measure_alone() {
    compare("two processes on one core", [&](const char* queue) {
      const double begin_s = now_s();
      submit(queue, both(bench_.options.seconds));
      cluster_->wait_until_empty();
      return now_s() - begin_s;
    });
  }

  void measure_newcomer() {
    compare("a job that starts beside it", [&](const char* queue) {
      start_anew();  // a node that had to give cores back lends none for a while
      const std::string busy_one = submit(queue, both(kPatience_s));
      const bool lent = is_lent(busy_one);
      if (lent != (queue == std::string("elastic"))) {
        throw std::runtime_error("the idle core was lent, or not lent, against expectation");
      }
      const double begin_s = now_s();
      const std::string job = submit("plain", "exec " + spin(bench_.options.seconds));
      if (run({"hwait", job}).exit_code != 0) throw std::runtime_error("the job failed");
      const double took_s = now_s() - begin_s;
      end(busy_one);
      return took_s;
    });
  }

 private:
  void start_anew() {
    cluster_.emplace(ScratchCluster::Options{
        .parent = bench_.options.directory,
        .nodes = 1,
        .cores_per_node = 2,
        .config = "[jobs]\nlend_every = \"0:01\"\n[telemetry]\nreport_ms = 500\n"
                  "[[queue]]\nname = \"plain\"\n"
                  "[[queue]]\nname = \"elastic\"\nelastic = true\n"});
  }

  // Both ways in turn, so that each goes first as often.
  template <typename Measure>
  void compare(const std::string& what, const Measure& measure) {
    SampleSet plain, elastic, ratios;
    for (int round = 0; round < bench_.options.rounds; ++round) {
      bench_.progress.say("lending: " + what + ", round " + std::to_string(round + 1) + " of " +
                          std::to_string(bench_.options.rounds));
      const bool swap = round % 2 == 1;
      const double one = measure(swap ? "elastic" : "plain");
      const double two = measure(swap ? "plain" : "elastic");
      plain.add(swap ? two : one);
      elastic.add(swap ? one : two);
      ratios.add((swap ? one : two) / (swap ? two : one));
    }
    bench_.report.add(kSection, what + ": own core only", plain, "s");
    bench_.report.add(kSection, what + ": with --elastic", elastic, "s");
    bench_.report.add(kSection, what + ": ratio", ratios, "");
  }

  ProgramResult run(std::vector<std::string> words) const {
    words.front() = program_directory() + "/" + words.front();
    words.insert(words.begin() + 1, {"--dir", cluster_->state_directory()});
    return run_program(words);
  }

  static std::string spin(double seconds) {
    const auto units = static_cast<long>(1e6 * seconds / kUnit_us);
    return program_directory() + "/hyades_bench_spin work:" + std::to_string(units);
  }
  static std::string both(double seconds) {
    return spin(seconds) + " & " + spin(seconds) + " & wait";
  }

  // The job's id.
  std::string submit(const std::string& queue, const std::string& command) const {
    const ProgramResult hsub = run({"hsub", "--parsable", "--queue", queue, "--time", "10",
                                    "--output", "/dev/null", "--wrap", command});
    if (hsub.exit_code != 0) throw std::runtime_error("hsub failed");
    return hsub.output.substr(0, hsub.output.find('\n'));
  }

  void end(const std::string& job) const {
    run({"hcancel", job});
    cluster_->wait_until_empty();
  }

  // Looked for as long as lending takes, and a while longer.
  bool is_lent(const std::string& job) const {
    const double until_s = now_s() + 5;
    while (now_s() < until_s) {
      if (run({"hexplain", job}).output.find("\nlent ") != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  Bench& bench_;
  std::optional<ScratchCluster> cluster_;
};

}  // namespace

void measure_lending(Bench& bench) {
  bench.report.explain(
      kSection,
      "On a node with two cores, of which the job has asked for one. *Two processes on one core*: "
      "from "
      "hsub until both have done their work, with the other core idle. *A job that starts beside "
      "it*: "
      "from its hsub, through its start on the core that was lent to the other one, to the end of "
      "as "
      "much work. Nodes look every second here (`lend_every`; 10 s by default), and what is lent "
      "must "
      "first be found to be idle: that is what keeps the first ratio above a half.");
  try {
    LendingRun run(bench);
    run.measure_alone();
    run.measure_newcomer();
  } catch (const std::runtime_error& error) {  // on a machine that others use nothing is lent
    bench.progress.say(std::string("lending: given up: ") + error.what());
  }
}

}  // namespace hyades
