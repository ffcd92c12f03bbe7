#include <signal.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "job_factory.hpp"
#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "submit_swarm.hpp"
#include "wire/client_connection.hpp"

namespace hyades {

namespace {

constexpr const char* kMemory = "A long queue";
constexpr const char* kRestart = "Restart";
constexpr double kBar_kib = 1;
constexpr int kConnections = 64;
constexpr int kRestarts = 3;

class LongQueue {
 public:
  explicit LongQueue(Bench& bench)
      : bench_(bench),
        cluster_({.parent = bench.options.directory}),
        factory_(cluster_.root(), "queue") {
    drain_nodes();
  }

  void run() {
    if (bench_.options.wants("restart")) restart("an empty queue");
    // Both halves, because what the first job costs (caches, buffers) the second half does not.
    const int jobs = bench_.options.queued_jobs;
    const MemoryUse empty = memory_use(cluster_.master_pid());
    const double begin_s = now_s();
    submit(jobs / 2);
    const MemoryUse half = memory_use(cluster_.master_pid());
    submit(jobs - jobs / 2);
    const double seconds = now_s() - begin_s;
    const MemoryUse full = memory_use(cluster_.master_pid());
    if (bench_.options.wants("memory")) {
      report_memory(empty, half, full);
      bench_.report.add(
          {.section = kMemory,
           .name = "submissions meanwhile, " + std::to_string(kConnections) + " connections",
           .value = jobs / seconds,
           .unit = "/s"});
    }
    if (!bench_.options.wants("restart")) return;
    restart(std::to_string(jobs) + " jobs");
    const MemoryUse again = memory_use(cluster_.master_pid());
    add(kRestart, "memory growth for a job, after the replay", again.rss_kib - empty.rss_kib, jobs);
  }

 private:
  void drain_nodes() {
    ClientConnection connection({cluster_.state_directory(), ""});
    for (int i = 1; i <= 4; ++i) {
      pb::ClientRequest request;
      pb::ClientReply reply;
      std::string error;
      pb::ActOnNode& act = *request.mutable_act_on_node();
      act.set_node("vn" + std::to_string(i));
      act.set_action(pb::NODE_DRAIN);
      act.set_reason("measuring");
      if (connection.call(request, reply, 10'000, error) != CallResult::Ok ||
          !reply.error().empty()) {
        throw std::runtime_error("cannot drain a node: " + error + reply.message());
      }
    }
  }

  void submit(int count) {
    SubmitSwarm swarm(cluster_.state_directory(), kConnections);
    int left = count;
    swarm.run(
        [&](pb::ClientRequest& request) {
          if (left % 1000 == 0) {
            bench_.progress.say("memory: " + std::to_string(factory_.made()) + " jobs queued");
          }
          factory_.fill_nominal(request);
          request.mutable_submit()->mutable_spec()->set_hold(false);
          return left-- > 0;
        },
        0);
    queued_ += count;
  }

  Figure& add(const char* section, const std::string& name, std::int64_t kib, int jobs) {
    return bench_.report.add({.section = section,
                              .name = name,
                              .value = static_cast<double>(kib) / jobs,
                              .unit = "KiB"});
  }

  void report_memory(const MemoryUse& empty, const MemoryUse& half, const MemoryUse& full) {
    const int jobs = bench_.options.queued_jobs;
    bench_.report.add({.section = kMemory,
                       .name = "master with an empty queue, RSS",
                       .value = static_cast<double>(empty.rss_kib) / 1024,
                       .unit = "MiB"});
    bench_.report.add({.section = kMemory,
                       .name = "master with " + std::to_string(jobs) + " jobs, RSS",
                       .value = static_cast<double>(full.rss_kib) / 1024,
                       .unit = "MiB"});
    Figure& growth = add(kMemory, "growth for a job, RSS", full.rss_kib - empty.rss_kib, jobs);
    growth.bar = Bar::AtMost;
    growth.limit = kBar_kib;
    add(kMemory, "growth for a job, PSS", full.pss_kib - empty.pss_kib, jobs);
    add(kMemory, "growth for a job of the second half, RSS", full.rss_kib - half.rss_kib,
        jobs - jobs / 2);
  }

  // From kill -9 until a new master answers, having replayed the whole queue.
  void restart(const std::string& with) {
    SampleSet seconds;
    for (int i = 0; i < (bench_.options.rounds > 1 ? kRestarts : 1); ++i) {
      bench_.progress.say("restart: with " + with);
      const pid_t old = cluster_.master_pid();
      const double begin_s = now_s();
      kill(old, SIGKILL);
      pb::StatusInfo status;
      while (!cluster_.ask_status(status, 60'000) || status.master_pid() == old) {
        if (now_s() - begin_s > 120) throw std::runtime_error("no master came back");
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      seconds.add(now_s() - begin_s);
      if (status.pending() != queued_) {
        throw std::runtime_error("of " + std::to_string(queued_) + " jobs " +
                                 std::to_string(status.pending()) + " came back");
      }
      wait_for_nodes();
    }
    bench_.report.add(kRestart, "from kill -9 to the first answer, " + with, seconds, "s");
  }

  void wait_for_nodes() const {
    while (cluster_.status().nodes_responding() < 4) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Bench& bench_;
  ScratchCluster cluster_;
  JobFactory factory_;
  int queued_ = 0;
};

}  // namespace

void measure_memory_and_restart(Bench& bench) {
  const std::string jobs = std::to_string(bench.options.queued_jobs);
  if (bench.options.wants("memory")) {
    bench.report.explain(
        kMemory,
        "The master's memory before and after " + jobs +
            " jobs are submitted, each with a name, a script of 2 KB and a token of its own and 50 "
            "variables of 40 bytes. They could start, but every node is drained, so all of them "
            "wait in the queue and each turn asks the policy. Growth is all growth, whatever it "
            "is for.");
  }
  if (bench.options.wants("restart")) {
    bench.report.explain(kRestart,
                         "The master is killed with SIGKILL; the supervisor ends and re-forms the "
                         "world of five processes, and the new master replays the queue. Until "
                         "the first answer that a client gets.");
  }
  LongQueue(bench).run();
}

}  // namespace hyades
