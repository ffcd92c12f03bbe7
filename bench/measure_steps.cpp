#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "job_factory.hpp"
#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "spawn_loop.hpp"
#include "submit_swarm.hpp"
#include "wire/client_connection.hpp"

namespace hyades {

namespace {

constexpr const char* kSteps = "Steps of a job";
constexpr const char* kGangs = "Jobs on several nodes";
constexpr int kWays = 2;
constexpr int kTasks = 200;
constexpr int kGangNodes = 16;
constexpr int kGangJobs = 20;
constexpr int kAnswer_ms = 60'000;

// What hrun finds in the script of a job on one node.
std::vector<std::string> job_environment(int tasks) {
  return {"PATH=/usr/bin:/bin",  "HYADES_JOB_ID=1",
          "HYADES_NNODES=1",     "HYADES_NTASKS=" + std::to_string(tasks),
          "HYADES_NODENAME=vn1", "HYADES_LAUNCH=bench:1.1.1"};
}

// A program that is `hrun /bin/true`; what it is called follows as an argument that does nothing.
std::string write_program(const std::string& directory) {
  const std::string path = directory + "/hyades-bench-step";
  std::ofstream(path) << "#!" << program_directory() << "/hrun /bin/true\n";
  if (chmod(path.c_str(), 0700) != 0) throw std::runtime_error("cannot write " + path);
  return path;
}

void measure_rates(Bench& bench) {
  bench.report.explain(kSteps, "hrun of /bin/true on one node, " + std::to_string(kWays) +
                                   " at a time, without a cluster: nothing but hrun and the step "
                                   "daemon takes part. The floor "
                                   "is posix_spawn of /bin/true, as many at a time.");
  const std::string program = write_program(bench.options.directory);
  SampleSet floor, steps, tasks;
  for (int round = 0; round < bench.options.rounds; ++round) {
    bench.progress.say("steps: round " + std::to_string(round + 1));
    const double seconds = bench.options.seconds;
    floor.add(spawn_rate("/bin/true", job_environment(1), kWays, seconds));
    steps.add(spawn_rate(program, job_environment(1), kWays, seconds));
    tasks.add(kTasks * spawn_rate(program, job_environment(kTasks), kWays, seconds));
  }
  std::filesystem::remove(program);
  bench.report.add(kSteps, "programs, posix_spawn", floor, "/s");
  bench.report.add(kSteps, "steps of one task", steps, "/s");
  bench.report.add(kSteps, "tasks, in steps of " + std::to_string(kTasks), tasks, "/s");
}

// Milliseconds from the submission of a job on so many nodes until its end is known.
double run_gang(JobFactory& factory, ClientConnection& connection, int nodes) {
  pb::ClientRequest request;
  factory.fill_script(request, "#!/bin/true\n", "");
  request.mutable_submit()->mutable_spec()->set_nodes(nodes);
  request.mutable_submit()->mutable_spec()->set_tasks(nodes);
  pb::ClientReply reply;
  std::string error;
  const double begin_s = now_s();
  if (connection.call(request, reply, kAnswer_ms, error) != CallResult::Ok || reply.job() == 0) {
    throw std::runtime_error("a job was not accepted: " + error + reply.message());
  }
  pb::ClientRequest wait;
  wait.mutable_wait_jobs()->add_ids(reply.job());
  wait.mutable_wait_jobs()->set_timeout_ms(kAnswer_ms);
  if (connection.call(wait, reply, kAnswer_ms, error) != CallResult::Ok || reply.jobs_size() != 1 ||
      reply.jobs(0).state() != "COMPLETED") {
    throw std::runtime_error("a job on " + std::to_string(nodes) + " nodes did not complete");
  }
  return 1000 * (now_s() - begin_s);
}

void measure_gangs(Bench& bench) {
  bench.report.explain(
      kGangs, "On an idle cluster of " + std::to_string(kGangNodes) +
                  " virtual nodes, one job at a time, from its submission to the news of its end: "
                  "its parts on the further nodes first, then /bin/true as the script.");
  const ScratchCluster cluster({.parent = bench.options.directory, .nodes = kGangNodes});
  JobFactory factory(cluster.root(), "gangs");
  ClientConnection connection({cluster.state_directory(), ""});
  for (const int nodes : {1, 3, kGangNodes}) {
    bench.progress.say("steps: jobs on " + std::to_string(nodes) + " nodes");
    SampleSet times;
    const int count = bench.options.smoke ? 2 : kGangJobs;
    for (int i = 0; i < count; ++i) times.add(run_gang(factory, connection, nodes));
    bench.report.add(kGangs, std::to_string(nodes) + (nodes == 1 ? " node" : " nodes"), times,
                     "ms");
  }
}

}  // namespace

void measure_steps(Bench& bench) {
  measure_rates(bench);
  measure_gangs(bench);
}

}  // namespace hyades
