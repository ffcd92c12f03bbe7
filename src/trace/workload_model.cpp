#include "trace/workload_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

#include "trace/day_cycle.hpp"
#include "trace/lublin_model.hpp"
#include "trace/random_numbers.hpp"
#include "trace/swf_reader.hpp"
#include "trace/user_habits.hpp"

namespace hyades {
namespace {

constexpr double load_max = 10;
constexpr double load_min = 0.001;
constexpr double bursts_max = 0.95;
constexpr int users_max = 100'000;
constexpr int burst_jobs_min = 5;
constexpr int burst_jobs_max = 75;
constexpr int burst_gap_max_s = 2;

// A submission before the day's hours and the load are applied.
struct Arrival {
  double even_s = 0;         // seconds, if all hours were alike
  std::int64_t after_s = 0;  // behind the first of its burst
};

std::string short_number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

// How likely the next submission begins a burst, so that `share` of all jobs are in one.
double burst_probability(double share) {
  const double jobs = (burst_jobs_min + burst_jobs_max) / 2.0;
  return share / (jobs - share * jobs + share);
}

class Generator {
 public:
  explicit Generator(const WorkloadModel& model)
      : model_(model),
        random_(model.seed),
        arrivals_random_(random_.split()),
        habits_({model.procs, model.users, model.over_estimates, model.memory_max_kib},
                random_.split()) {}

  Workload make() {
    workload_.name = "generated-" + std::to_string(model_.seed);
    workload_.procs = model_.procs;
    make_jobs();
    set_submissions(1);
    if (model_.load > 0) fit_load();
    order();
    return std::move(workload_);
  }

 private:
  void make_jobs() {
    const double burst = burst_probability(model_.bursts);
    double even_s = 0;
    while (!is_full()) {
      even_s += lublin_gap_s(arrivals_random_);
      add({even_s, 0}, false);
      // Drawn also where there are no bursts: the other numbers stay the same.
      if (!arrivals_random_.chance(burst)) continue;
      std::int64_t after_s = 0;
      for (auto left = arrivals_random_.between(burst_jobs_min, burst_jobs_max) - 1;
           left > 0 && !is_full(); --left) {
        after_s += arrivals_random_.between(0, burst_gap_max_s);
        add({even_s, after_s}, true);
      }
    }
  }

  bool is_full() const { return static_cast<std::int64_t>(arrivals_.size()) == model_.jobs; }

  void add(const Arrival& arrival, bool again) {
    arrivals_.push_back(arrival);
    workload_.jobs.push_back(habits_.next(again));
  }

  // Gaps `stretch` times as long; the day keeps its hours.
  void set_submissions(double stretch) {
    const double first = cycle_.second_of(arrivals_.front().even_s * stretch);
    for (std::size_t i = 0; i < arrivals_.size(); ++i) {
      const double second = cycle_.second_of(arrivals_[i].even_s * stretch) - first;
      workload_.jobs[i].submit_s = static_cast<std::int64_t>(second) + arrivals_[i].after_s;
    }
  }

  // Halves the interval in which the stretch lies: the load falls with it.
  void fit_load() {
    double low = 1e-9;
    double high = 1e9;
    for (int i = 0; i < 60 && high / low > 1.0001; ++i) {
      const double stretch = std::sqrt(low * high);
      const bool too_long = arrivals_.back().even_s * stretch > 0.5 * trace_seconds_max;
      if (!too_long) set_submissions(stretch);
      (too_long || offered_load(workload_) < model_.load ? high : low) = stretch;
    }
    set_submissions(low);
    const double reached = offered_load(workload_);
    if (std::fabs(reached / model_.load - 1) > 0.03) {
      throw std::runtime_error(std::to_string(model_.jobs) + " jobs cannot make a load of " +
                               short_number(model_.load) + ": the nearest is " +
                               short_number(reached) + "; ask for more jobs or another load");
    }
  }

  // Jobs of a burst may be submitted behind what came later; the numbers follow the order.
  void order() {
    auto& jobs = workload_.jobs;
    std::stable_sort(jobs.begin(), jobs.end(),
                     [](const TraceJob& a, const TraceJob& b) { return a.submit_s < b.submit_s; });
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].id = static_cast<std::int64_t>(i) + 1;
  }

  const WorkloadModel model_;
  RandomNumbers random_;
  RandomNumbers arrivals_random_;
  UserHabits habits_;
  const DayCycle cycle_;
  std::vector<Arrival> arrivals_;
  Workload workload_;
};

}  // namespace

std::string problem_of(const WorkloadModel& model) {
  const SwfLimits limits;
  if (model.procs < 1 || model.procs > trace_procs_max) {
    return "a machine has 1 to " + std::to_string(trace_procs_max) + " processors";
  }
  if (model.jobs < 1 || model.jobs > limits.jobs_max) {
    return "a workload has 1 to " + std::to_string(limits.jobs_max) + " jobs";
  }
  if (model.load != 0 && !(model.load >= load_min && model.load <= load_max)) {
    return "a load is 0.001 to 10, or 0 for what the model makes of itself";
  }
  if (!(model.bursts >= 0 && model.bursts <= bursts_max)) {
    return "the share of jobs in bursts is 0 to 0.95";
  }
  if (model.users < 0 || model.users > users_max) {
    return "a workload has 0 to " + std::to_string(users_max) + " users";
  }
  if (model.memory_max_kib < 0 || model.memory_max_kib > std::int64_t{1} << 40) {
    return "memory is 0 to 1 PiB a processor";
  }
  return "";
}

Workload generate_workload(const WorkloadModel& model) {
  const std::string problem = problem_of(model);
  if (!problem.empty()) throw std::runtime_error(problem);
  return Generator(model).make();
}

double offered_load(const Workload& workload) {
  double work = 0;
  std::int64_t last_end = 0;
  std::int64_t first = INT64_MAX;
  for (const TraceJob& job : workload.jobs) {
    work += static_cast<double>(job.run_s) * job.procs;
    last_end = std::max(last_end, job.submit_s + job.run_s);
    first = std::min(first, job.submit_s);
  }
  if (workload.jobs.empty()) return 0;
  return work / (static_cast<double>(last_end - first) * workload.procs);
}

}  // namespace hyades
