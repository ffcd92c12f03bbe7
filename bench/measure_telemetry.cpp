// What telemetry costs the jobs that it looks at.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include "child_program.hpp"
#include "core/prng.hpp"
#include "job_factory.hpp"
#include "measurements.hpp"
#include "scratch_cluster.hpp"
#include "spin.h"
#include "submit_swarm.hpp"
#include "wire/client_connection.hpp"

namespace hyades {

namespace {

constexpr const char* kSection = "What telemetry costs";
constexpr int kAnswer_ms = 60'000;
constexpr int kDraws = 4000;
constexpr int kPairs = 24;
constexpr double kWindow_s = 1.0;
constexpr double kSettle_s = 0.3;  // after the sampler was stopped or let go
constexpr double kDefaultsBar_percent = 0.5;
constexpr double kFastestBar_percent = 3;

void sleep_s(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

struct Setting {
  std::string name;
  int period_ms = 0;  // of every class; 0: the defaults, with their budget
  int jobs = 1;
};

// The file in which jobs count what they get done.
class SpinFile {
 public:
  explicit SpinFile(const std::string& path) : path_(path) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool made = file >= 0 && ftruncate(file, sizeof(SpinPage)) == 0;
    void* const memory =
        made ? mmap(nullptr, sizeof(SpinPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
             : MAP_FAILED;
    if (file >= 0) close(file);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot make " + path);
    page_ = static_cast<SpinPage*>(memory);
  }
  ~SpinFile() {
    page_->stop = 1;
    munmap(page_, sizeof(SpinPage));
  }
  SpinFile(const SpinFile&) = delete;
  SpinFile& operator=(const SpinFile&) = delete;

  const std::string& path() const { return path_; }
  void stop() { page_->stop = 1; }
  int at_work() const {
    int count = 0;
    for (const SpinSlot& slot : page_->slots) count += slot.done > 0 ? 1 : 0;
    return count;
  }
  double done() const {
    double sum = 0;
    for (const SpinSlot& slot : page_->slots) sum += static_cast<double>(slot.done);
    return sum;
  }

 private:
  std::string path_;
  SpinPage* page_ = nullptr;
};

// A cluster of one node whose telemetry can be set, stopped and let go.
class MeasuredNode {
 public:
  explicit MeasuredNode(const std::string& parent)
      : cluster_({.parent = parent, .nodes = 1, .cores_per_node = 64}),
        factory_(cluster_.root(), "telemetry"),
        connection_({cluster_.state_directory(), ""}) {
    for (const NamedProcess& process : cluster_.processes()) {
      if (process.name == "sampler vn1") sampler_ = process.pid;
    }
    if (sampler_ == 0) throw std::runtime_error("the node has no sampler");
  }
  ~MeasuredNode() { go_on(); }

  // Takes effect within a second or so.
  void configure(int period_ms) {
    std::ofstream config(cluster_.root() + "/hyades.toml");
    config << "[[node]]\nname = \"vn1\"\ncores = 64\n[telemetry]\n";
    for (const char* of : {"compute", "memory", "network", "power", "application"}) {
      if (period_ms > 0) config << of << "_ms = " << period_ms << "\n";
    }
    // What it costs is to be seen, not what a budget makes of it.
    if (period_ms > 0) config << "budget_ppm = 1000000\n";
    config.close();
    const ProgramResult result =
        run_program({program_directory() + "/hctl", "reload", "--dir", cluster_.state_directory()});
    if (result.exit_code != 0) throw std::runtime_error("the configuration is refused");
  }

  void start(const SpinFile& file, int jobs, int processes) {
    const std::string script = "#!" + program_directory() + "/hyades_bench_spin " + file.path() +
                               ':' + std::to_string(processes) + "\n";
    for (int i = 0; i < jobs; ++i) {
      pb::ClientRequest request;
      factory_.fill_script(request, script, "");
      pb::ClientReply reply;
      std::string error;
      if (connection_.call(request, reply, kAnswer_ms, error) != CallResult::Ok ||
          reply.job() == 0) {
        throw std::runtime_error("a job was not accepted: " + error + reply.message());
      }
    }
    const double give_up_s = now_s() + 60;
    while (file.at_work() < jobs * processes) {
      if (now_s() > give_up_s) throw std::runtime_error("jobs do not start");
      sleep_s(0.05);
    }
  }
  void wait_until_empty() { cluster_.wait_until_empty(); }

  void stop() { kill(sampler_, SIGSTOP); }
  void go_on() { kill(sampler_, SIGCONT); }
  pid_t sampler() const { return sampler_; }
  const std::string& directory() const { return cluster_.root(); }  // goes with it

 private:
  ScratchCluster cluster_;
  JobFactory factory_;
  ClientConnection connection_;
  pid_t sampler_ = 0;
};

// Of the median of `values`, by 4,000 draws with replacement.
struct Interval {
  double low = 0;
  double high = 0;
};
Interval bootstrap(const std::vector<double>& values) {
  Prng prng(1);
  SampleSet medians;
  for (int draw = 0; draw < kDraws; ++draw) {
    SampleSet drawn;
    for (std::size_t i = 0; i < values.size(); ++i) drawn.add(values[prng.below(values.size())]);
    medians.add(drawn.median());
  }
  return {medians.quantile(0.025), medians.quantile(0.975)};
}

class Pairs {
 public:
  Pairs(MeasuredNode& node, const SpinFile& file, double window_s)
      : node_(node), file_(file), window_s_(window_s) {}

  // One window with telemetry and one without, in either order.
  void add() {
    const bool first = prng_.below(2) == 0;
    double rates[2];
    for (const bool on : {first, !first}) {
      on ? node_.go_on() : node_.stop();
      sleep_s(std::min(kSettle_s, window_s_));
      rates[on ? 1 : 0] = rate(on);
    }
    losses_.push_back(100 * (1 - rates[1] / rates[0]));
  }

  const std::vector<double>& losses_percent() const { return losses_; }
  double sampler_percent() const { return 100 * sampler_s_ / on_s_; }

 private:
  // Units of work a second.
  double rate(bool on) {
    const CpuTime cpu_before = cpu_time(node_.sampler());
    const double begin_s = now_s();
    const double before = file_.done();
    sleep_s(window_s_);
    const double done = file_.done() - before;
    const double seconds = now_s() - begin_s;
    if (on) {
      sampler_s_ += cpu_between(cpu_before, cpu_time(node_.sampler()));
      on_s_ += seconds;
    }
    return done / seconds;
  }

  MeasuredNode& node_;
  const SpinFile& file_;
  double window_s_;
  Prng prng_{1};
  std::vector<double> losses_;
  double sampler_s_ = 0;
  double on_s_ = 0;
};

void measure_setting(Bench& bench, MeasuredNode& node, const Setting& setting) {
  const int processors = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  node.configure(setting.period_ms);
  SpinFile file(node.directory() + "/spin");
  node.start(file, setting.jobs, setting.jobs == 1 ? processors : 1);
  unlink(file.path().c_str());
  sleep_s(bench.options.smoke ? 0.2 : 2);
  Pairs pairs(node, file, bench.options.smoke ? 0.1 : kWindow_s);
  const int count = bench.options.smoke ? 2 : kPairs;
  for (int i = 0; i < count; ++i) {
    bench.progress.say("telemetry: " + setting.name + ", pair " + std::to_string(i + 1) + " of " +
                       std::to_string(count));
    pairs.add();
  }
  node.go_on();
  file.stop();
  node.wait_until_empty();
  SampleSet losses;
  for (const double loss : pairs.losses_percent()) losses.add(loss);
  const Interval interval = bootstrap(pairs.losses_percent());
  const bool defaults = setting.period_ms == 0;
  bench.report.add({.section = kSection,
                    .name = "slow-down, " + setting.name,
                    .value = losses.median(),
                    .unit = "%",
                    .bar = Bar::Below,
                    .limit = defaults ? kDefaultsBar_percent : kFastestBar_percent,
                    .lowest = interval.low,
                    .highest = interval.high});
  bench.report.add({.section = kSection,
                    .name = "sampler, " + setting.name,
                    .value = pairs.sampler_percent(),
                    .unit = "% of a core"});
}

// What it takes while no job runs.
void measure_idle_sampler(Bench& bench, MeasuredNode& node) {
  node.configure(0);
  const double seconds = bench.options.smoke ? 0.5 : 20;
  sleep_s(std::min(seconds, 5.0));
  const CpuTime before = cpu_time(node.sampler());
  sleep_s(seconds);
  bench.report.add({.section = kSection,
                    .name = "sampler, defaults, no job",
                    .value = 100 * cpu_between(before, cpu_time(node.sampler())) / seconds,
                    .unit = "% of a core"});
  bench.report.add({.section = kSection,
                    .name = "sampler, resident at the end",
                    .value = static_cast<double>(memory_use(node.sampler()).rss_kib) / 1024,
                    .unit = "MiB"});
  bench.report.add({.section = kSection,
                    .name = "sampler, its own part of that",
                    .value = static_cast<double>(memory_use(node.sampler()).pss_kib) / 1024,
                    .unit = "MiB"});
}

}  // namespace

void measure_telemetry(Bench& bench) {
  bench.report.explain(
      kSection,
      "Jobs that compute on every processor of the machine, on a cluster of one node, count what "
      "they get done. In windows of a second the node's sampler runs or is stopped (SIGSTOP), in "
      "pairs "
      "whose order is drawn. The value is the median over " +
          std::to_string(kPairs) +
          " pairs of what was done less with it than without, the range is its 95 % interval "
          "(bootstrap): where that reaches below 0 the machine's own unsteadiness is larger than "
          "the effect. What the sampler itself used of one core is by the kernel's account. Its "
          "jobs' shepherds look at their counters in both windows. Where a period is named, every "
          "class has it, and there is no budget.");
  MeasuredNode node(bench.options.directory);
  for (const Setting& setting : {Setting{"defaults, 1 job", 0, 1},
                                 {"defaults, 8 jobs", 0, 8},
                                 {"defaults, 64 jobs", 0, 64},
                                 {"every 1000 ms, 1 job", 1000, 1},
                                 {"every 100 ms, 1 job", 100, 1},
                                 {"every 50 ms, 1 job", 50, 1},
                                 {"every 10 ms, 1 job", 10, 1},
                                 {"every 10 ms, 64 jobs", 10, 64}}) {
    measure_setting(bench, node, setting);
  }
  measure_idle_sampler(bench, node);
}

}  // namespace hyades
