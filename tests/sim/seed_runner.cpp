#include "seed_runner.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <thread>

#include "sim/simulation.hpp"

namespace hyades {

namespace {

// A process that runs every `step`-th seed and reports over a pipe, one line a seed:
// "begin S", then "end S ..." unless it died in between.
class Worker {
 public:
  Worker(std::uint64_t first, std::uint64_t end, std::uint64_t step)
      : next_(first), end_(end), step_(step) {
    start();
  }
  ~Worker() { stop(); }

  int fd() const { return pipe_; }
  bool over() const { return pipe_ < 0; }

  // Reads what has come; `done` is called with each result.
  template <typename Done>
  void read_some(const Done& done) {
    char buffer[65536];
    const ssize_t count = ::read(pipe_, buffer, sizeof buffer);
    if (count > 0) {
      text_.append(buffer, static_cast<std::size_t>(count));
      for (std::size_t at; (at = text_.find('\n')) != std::string::npos;) {
        take(text_.substr(0, at), done);
        text_.erase(0, at + 1);
      }
      return;
    }
    const bool died = running_ != 0;
    const std::uint64_t seed = running_;
    finish();
    if (!died) return;
    done(SeedResult{seed, "assertion", "the process died; its message is above", 0, 0, 0, 0, 0},
         Marks{});
    next_ = seed + step_;
    running_ = 0;
    if (next_ < end_) start();
  }

  void stop() {
    if (over()) return;
    ::kill(child_, SIGKILL);
    finish();
  }

 private:
  void start() {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    std::fflush(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      work(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }

  void finish() {
    ::close(pipe_);
    pipe_ = -1;
    ::waitpid(child_, nullptr, 0);
  }

  void work(int out) const {
    for (std::uint64_t seed = next_; seed < end_; seed += step_) {
      say(out, "begin " + std::to_string(seed) + "\n");
      Marks marks;
      SeedResult r = run_seed(seed, marks);
      std::replace(r.what.begin(), r.what.end(), '\n', ' ');
      std::ostringstream line;
      line << "end " << r.seed << ' ' << r.hash << ' ' << r.simulated_ms << ' ' << r.jobs << ' '
           << r.processes << ' ' << r.events;
      for (std::size_t i = 0; i < Marks::count; ++i) line << ' ' << marks[i];
      line << '|' << r.oracle << '|' << r.what << '\n';
      say(out, line.str());
    }
  }

  static void say(int out, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(out, text.data() + done, text.size() - done);
      if (count <= 0) ::_exit(1);
      done += static_cast<std::size_t>(count);
    }
  }

  template <typename Done>
  void take(const std::string& line, const Done& done) {
    std::istringstream words(line);
    std::string word;
    SeedResult r;
    Marks marks;
    words >> word >> r.seed;
    running_ = r.seed;
    if (word == "begin") return;
    running_ = 0;
    words >> r.hash >> r.simulated_ms >> r.jobs >> r.processes >> r.events;
    for (std::size_t i = 0; i < Marks::count; ++i) words >> marks[i];
    words.ignore(1);
    std::getline(words, r.oracle, '|');
    std::getline(words, r.what);
    done(r, marks);
  }

  std::uint64_t next_;
  std::uint64_t end_;
  std::uint64_t step_;
  std::uint64_t running_ = 0;
  pid_t child_ = 0;
  int pipe_ = -1;
  std::string text_;
};

}  // namespace

SeedResult run_seed(std::uint64_t seed, Marks& marks, bool trace) {
  SeedResult result;
  result.seed = seed;
  Prng random(seed);
  const SimOptions options = SimOptions::swarm(random);
  if (trace) std::fprintf(stderr, "%s\n", options.describe().c_str());
  Simulation simulation(random.next(), options, trace ? stderr : nullptr);
  try {
    const Simulation::Summary summary = simulation.run();
    result.hash = summary.hash;
    result.simulated_ms = summary.simulated_ms;
    result.jobs = summary.jobs;
    result.processes = summary.processes;
    result.events = summary.events;
  } catch (const Violation& violation) {
    result.oracle = violation.oracle;
    result.what = violation.what();
  }
  marks = simulation.marks();
  return result;
}

SeedRuns run_seeds(std::uint64_t first, std::uint64_t count, bool stop_at_failure) {
  SeedRuns runs;
  const unsigned cores = std::max(1u, std::min(8u, std::thread::hardware_concurrency()));
  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < cores; ++i) {
    workers.push_back(std::make_unique<Worker>(first + i, first + count, cores));
  }
  bool failed = false;
  while (!(failed && stop_at_failure)) {
    std::vector<pollfd> fds;
    for (const auto& worker : workers) fds.push_back({worker->fd(), POLLIN, 0});
    const auto over = [](const auto& worker) { return worker->over(); };
    if (std::all_of(workers.begin(), workers.end(), over)) break;
    ::poll(fds.data(), fds.size(), -1);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      workers[i]->read_some([&](const SeedResult& result, const Marks& marks) {
        runs.results.push_back(result);
        for (std::size_t m = 0; m < Marks::count; ++m) runs.marks[m] += marks[m];
        failed = failed || (!result.oracle.empty() && result.oracle != "assertion");
      });
    }
  }
  workers.clear();
  std::sort(runs.results.begin(), runs.results.end(),
            [](const SeedResult& a, const SeedResult& b) { return a.seed < b.seed; });
  return runs;
}

std::uint64_t SeedRuns::jobs() const {
  std::uint64_t sum = 0;
  for (const SeedResult& result : results) sum += result.jobs;
  return sum;
}

double SeedRuns::simulated_days() const {
  double sum = 0;
  for (const SeedResult& result : results) sum += static_cast<double>(result.simulated_ms);
  return sum / 86'400'000;
}

std::string describe(const SeedResult& result) {
  Prng random(result.seed);
  return "seed " + std::to_string(result.seed) + ": " + result.what + "\n  " +
         SimOptions::swarm(random).describe() +
         "\n  again, with everything that happens: HYADES_SIM_SEED=" + std::to_string(result.seed) +
         " sim_seeds_test";
}

}  // namespace hyades
