#include <sys/stat.h>

#include <fstream>
#include <map>
#include <stdexcept>

#include "job_factory.hpp"
#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "spawn_loop.hpp"
#include "submit_swarm.hpp"
#include "wire/client_connection.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "Jobs that do nothing";
constexpr double kBar = 0.2;
constexpr int kConnections = 16;
constexpr int kWays = 2;
constexpr double kSpawn_s = 1.5;
constexpr const char* kScript = "#!/bin/true\n";

class JobRates {
 public:
  explicit JobRates(Bench& bench)
      : bench_(bench),
        cluster_({.parent = bench.options.directory}),
        factory_(cluster_.root(), "jobs"),
        script_(cluster_.root() + "/true.sh") {
    std::ofstream(script_) << kScript;
    chmod(script_.c_str(), 0700);
    const auto& variables = factory_.sample().environment();
    environment_.assign(variables.begin(), variables.end());
  }

  void run() {
    run_jobs(bench_.options.trivial_jobs / 4 + 1);  // warm
    double spawned = spawn("/bin/true");
    for (int round = 1; round <= bench_.options.rounds; ++round) {
      bench_.progress.say("jobs: round " + std::to_string(round) + " of " +
                          std::to_string(bench_.options.rounds));
      const auto cpu_before = cpu_of_processes();
      const double rate = run_jobs(bench_.options.trivial_jobs);
      add_cpu(cpu_before, cpu_of_processes());
      const double spawned_after = spawn("/bin/true");
      // The floor moves with the machine's other load: the loops on both sides of the jobs count.
      const double floor = (spawned + spawned_after) / 2;
      rates_.add(rate);
      floors_.add(floor);
      ratios_.add(rate / floor);
      script_floors_.add(spawn(script_));
      spawned = spawn("/bin/true");
    }
    check_outcomes();
    report();
  }

 private:
  // From the first submission until the last job's end is committed.
  double run_jobs(int count) {
    SubmitSwarm swarm(cluster_.state_directory(), kConnections);
    int left = count;
    const double begin_s = now_s();
    swarm.run(
        [&](pb::ClientRequest& request) {
          factory_.fill_script(request, kScript, "");
          return left-- > 0;
        },
        0);
    cluster_.wait_until_empty();
    submitted_ += count;
    return count / (now_s() - begin_s);
  }

  double spawn(const std::string& path) {
    return spawn_rate(path, environment_, kWays, std::min(kSpawn_s, bench_.options.seconds));
  }

  // CPU seconds so far: master, workers, launchers.
  std::map<std::string, double> cpu_of_processes() const {
    std::map<std::string, double> sums;
    for (const NamedProcess& process : cluster_.processes()) {
      sums[process.name.substr(0, process.name.find(' '))] += cpu_time(process.pid).scheduler_s;
    }
    return sums;
  }

  void add_cpu(const std::map<std::string, double>& before,
               const std::map<std::string, double>& after) {
    for (const auto& [name, seconds] : after) {
      const auto old = before.find(name);
      if (old == before.end()) continue;
      cpu_us_[name].add(1e6 * (seconds - old->second) / bench_.options.trivial_jobs);
    }
  }

  // All of them ran, and well; otherwise the rate would be one of failures.
  void check_outcomes() const {
    pb::ClientRequest request;
    pb::ClientReply reply;
    std::string error;
    request.mutable_list_jobs()->set_ended(true);
    request.mutable_list_jobs()->add_states("COMPLETED");
    request.mutable_list_jobs()->set_limit(100'000);
    ClientConnection connection({cluster_.state_directory(), ""});
    if (connection.call(request, reply, 60'000, error) != CallResult::Ok) {
      throw std::runtime_error("cannot list the jobs: " + error);
    }
    if (reply.jobs_size() != submitted_) {
      throw std::runtime_error("of " + std::to_string(submitted_) + " jobs only " +
                               std::to_string(reply.jobs_size()) + " have COMPLETED");
    }
  }

  void report() {
    Report& report = bench_.report;
    report.add(kSection, "jobs, from the first submission to the last end", rates_, "/s");
    report.add(kSection, "posix_spawn of /bin/true, two at a time", floors_, "/s");
    report.add(kSection, "posix_spawn of the job's script, two at a time", script_floors_, "/s");
    Figure& ratio = report.add(kSection, "jobs / posix_spawn of /bin/true", ratios_, "");
    ratio.bar = Bar::AtLeast;
    ratio.limit = kBar;
    for (const auto& [name, samples] : cpu_us_) {
      if (name == "supervisor" || name == "mpirun") continue;
      report.add(kSection, "CPU of the " + name + (name == "master" ? "" : "s") + " for a job",
                 samples, "us");
    }
  }

  Bench& bench_;
  ScratchCluster cluster_;
  JobFactory factory_;
  std::string script_;
  std::vector<std::string> environment_;
  int submitted_ = 0;
  SampleSet rates_, floors_, script_floors_, ratios_;
  std::map<std::string, SampleSet> cpu_us_;
};

}  // namespace

void measure_jobs(Bench& bench) {
  bench.report.explain(
      kSection,
      "Jobs whose script is the one line `#!/bin/true`: the kernel runs /bin/true in the one exec "
      "that a job costs. They have 50 environment variables, /dev/null for output, one core each, "
      "and are streamed over " +
          std::to_string(kConnections) +
          " connections while they run on 4 virtual nodes of 16 logical cores. The rate is from "
          "the first submission until every job's end is committed. Before and after each batch, "
          "the floor: two threads that posix_spawn /bin/true (same environment, own session, "
          "/dev/null) and wait for it. Submitting client, master, workers, launchers, shepherds "
          "and "
          "jobs share the machine's cores.");
  JobRates(bench).run();
}

}  // namespace hyades
