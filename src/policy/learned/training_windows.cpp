#include "policy/learned/training_windows.hpp"

#include <algorithm>
#include <cstdio>

#include "checksum.hpp"
#include "hsim/windows.hpp"
#include "trace/workload_model.hpp"

namespace hyades::learned {
namespace {

// Jobs before a window that run times are learned from: fewer than the master takes, because it
// is done anew for every episode.
constexpr std::size_t kEarlierMost = 6'000;

// Of what a replay goes by. Not of the jobs as they lie in memory: there are gaps between fields.
std::string digest_of(const Workload& log) {
  std::vector<std::int64_t> values{log.procs, log.unix_start_s};
  for (const TraceJob& job : log.jobs) {
    values.insert(values.end(), {job.id, job.submit_s, job.run_s, job.request_s, job.procs,
                                 job.memory_per_proc_kib, job.user, job.group, job.executable,
                                 job.queue, job.partition, job.wait_s});
  }
  char text[32];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(jobscripts::checksum_of(values)));
  return text;
}

TrainingWindow window_of(const Workload& log, const Window& place) {
  TrainingWindow window{log.name, cut(log, place), {}, {}, 1};
  const auto begin = log.jobs.begin() + static_cast<std::ptrdiff_t>(place.first);
  window.earlier.assign(begin - static_cast<std::ptrdiff_t>(std::min(place.first, kEarlierMost)),
                        begin);
  return window;
}

}  // namespace

void add_windows(const Workload& log, const WindowPlan& plan, Prng& random, TrainingWindows& out) {
  out.logs.push_back({log.name, digest_of(log)});
  const auto known =
      static_cast<std::size_t>(static_cast<double>(log.jobs.size()) * (1 - plan.held_out));
  const std::size_t to_learn = known * 3 / 4;
  for (const Window& each : evenly_spaced_windows(to_learn, plan.count, plan.length)) {
    out.learn_from.push_back(window_of(log, each));
    TrainingWindow paced = window_of(log, each);
    const double factor = 0.8 + 0.4 * unit_number(random);
    paced.workload = with_pace(std::move(paced.workload), factor);
    out.learn_from.push_back(std::move(paced));
  }
  bool to_choose = false;
  for (const Window& each : evenly_spaced_windows(known - to_learn, plan.count, plan.length)) {
    (to_choose ? out.choose_by : out.try_on)
        .push_back(window_of(log, {to_learn + each.first, each.count}));
    to_choose = !to_choose;
  }
}

Workload generated_workload(int number, std::uint64_t seed) {
  Prng random(seed * 1000 + static_cast<std::uint64_t>(number));
  WorkloadModel model;
  model.procs = 64 << random.below(4);
  model.jobs = 6'000;
  model.load = 0.65 + 0.3 * unit_number(random);
  model.bursts = 0.3 * unit_number(random);
  model.users = static_cast<int>(random.between(20, 120));
  model.over_estimates = true;
  model.seed = random.next();
  Workload workload = generate_workload(model);
  workload.name = "generated-" + std::to_string(number);
  return workload;
}

std::string log_names(const TrainingWindows& windows) {
  std::string names;
  for (const TrainingLog& log : windows.logs) names += (names.empty() ? "" : " ") + log.name;
  return names;
}

WindowPlan plan_of_generated(const WindowPlan& plan) {
  WindowPlan fewer = plan;
  fewer.count = std::max<std::size_t>(plan.count / 4, 2);
  fewer.held_out = 0;
  return fewer;
}

}  // namespace hyades::learned
