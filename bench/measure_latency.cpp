#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "job_factory.hpp"
#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "submit_swarm.hpp"
#include "wire/client_connection.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "From submission to start";
constexpr double kBar_ms = 10;
constexpr int kAnswer_ms = 30'000;
constexpr int kShortestGap_ms = 5;
constexpr int kLongestGap_ms = 50;

double wall_ms() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class StartTimes {
 public:
  explicit StartTimes(Bench& bench)
      : bench_(bench),
        cluster_({.parent = bench.options.directory}),
        factory_(cluster_.root(), "latency"),
        connection_({cluster_.state_directory(), ""}),
        stamps_(cluster_.root() + "/stamps") {
    // In a script's first line a path must be short.
    const std::string program = cluster_.root() + "/stamp";
    std::filesystem::copy_file(program_directory() + "/hyades_bench_stamp", program);
    script_ = "#!" + program + "\n";
  }

  void run() {
    std::mt19937 random(7);
    std::uniform_int_distribution<int> gap(kShortestGap_ms, kLongestGap_ms);
    const int count = bench_.options.latency_jobs;
    for (int i = 0; i < count; ++i) {
      bench_.progress.say("latency: job " + std::to_string(i + 1) + " of " + std::to_string(count));
      std::this_thread::sleep_for(std::chrono::milliseconds(gap(random)));
      submit_and_wait();
    }
    report(read_stamps());
  }

 private:
  void submit_and_wait() {
    factory_.fill_script(request_, script_, stamps_);
    const double sent = now_s();
    const double sent_wall_ms = wall_ms();
    const std::uint64_t job = call(request_).job();
    answered_ms_.add(1000 * (now_s() - sent));
    sent_wall_ms_[job] = sent_wall_ms;
    pb::ClientRequest wait;
    wait.mutable_wait_jobs()->add_ids(job);
    wait.mutable_wait_jobs()->set_timeout_ms(kAnswer_ms);
    const pb::ClientReply& ended = call(wait);
    ended_ms_.add(1000 * (now_s() - sent));
    if (ended.jobs_size() != 1 || ended.jobs(0).state() != "COMPLETED") {
      throw std::runtime_error("job " + std::to_string(job) + " did not complete");
    }
  }

  const pb::ClientReply& call(const pb::ClientRequest& request) {
    std::string error;
    if (connection_.call(request, reply_, kAnswer_ms, error) != CallResult::Ok) {
      throw std::runtime_error(error);
    }
    if (!reply_.error().empty()) throw std::runtime_error(reply_.message());
    return reply_;
  }

  // The jobs' own word.
  SampleSet read_stamps() const {
    SampleSet started_ms;
    std::ifstream file(stamps_);
    std::uint64_t job = 0;
    double nanoseconds = 0;
    while (file >> job >> nanoseconds) {
      const auto sent = sent_wall_ms_.find(job);
      if (sent != sent_wall_ms_.end()) started_ms.add(nanoseconds / 1e6 - sent->second);
    }
    if (started_ms.size() != sent_wall_ms_.size()) {
      throw std::runtime_error("not every job has written its time to " + stamps_);
    }
    return started_ms;
  }

  void report(const SampleSet& started_ms) {
    add("to the answer", answered_ms_, 0.5);
    Figure& median = add("to the job's first instruction", started_ms, 0.5);
    median.bar = Bar::Below;
    median.limit = kBar_ms;
    add("to the job's first instruction", started_ms, 0.9);
    add("to the job's first instruction", started_ms, 0.99);
    add("to the news of its end", ended_ms_, 0.5);
    add("to the news of its end", ended_ms_, 0.99);
  }

  Figure& add(const std::string& name, const SampleSet& samples, double part) {
    const std::string which = std::to_string(std::lround(100 * part));
    return bench_.report.add({.section = kSection,
                              .name = name + ", p" + which,
                              .value = samples.quantile(part),
                              .unit = "ms"});
  }

  Bench& bench_;
  ScratchCluster cluster_;
  JobFactory factory_;
  ClientConnection connection_;
  std::string stamps_;
  std::string script_;
  pb::ClientRequest request_;
  pb::ClientReply reply_;
  std::map<std::uint64_t, double> sent_wall_ms_;
  SampleSet answered_ms_, ended_ms_;
};

}  // namespace

void measure_latency(Bench& bench) {
  bench.report.explain(
      kSection,
      "On an idle cluster of 4 virtual nodes, one job at a time, " +
          std::to_string(bench.options.latency_jobs) +
          " in all, each submitted 5 to 50 ms (at random) after the end of the one before. The job "
          "is a static program that writes the time at which it runs; the clock starts just before "
          "the request is sent, so the commits of the submission and of the placement are in it.");
  StartTimes(bench).run();
}

}  // namespace hyades
