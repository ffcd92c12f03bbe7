// Replays what a study is still without, on several threads. What they replay with is given: it
// must be able to run on several threads at once. Not thread-safe itself.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "hsim/study.hpp"
#include "hsim/study_cache.hpp"

namespace hyades {

// Of a workload, which is one window, with the jobs that its log has before it. Throws when it
// cannot be replayed.
using ReplayRule = std::function<std::vector<ReplayedJob>(
    const Workload& workload, std::span<const TraceJob> earlier, const Rule& rule)>;

class StudyRunner {
 public:
  // `workloads` are the whole logs, in the order of the plan's.
  StudyRunner(const StudyPlan& plan, const std::vector<Workload>& workloads, ReplayRule replay)
      : plan_(plan), workloads_(workloads), replay_(std::move(replay)) {}

  // Called now and then, never by two threads at once.
  using Progress = std::function<void(std::size_t done, std::size_t all)>;

  // Adds to `results` and to the cache, each as it comes; whatever is in `results` is not replayed
  // again. The results do not depend on the number of threads. Throws what a replay threw, and a
  // Failure that names log, rule and window when one cannot be true.
  void run(int threads, StudyCache& cache, StudyResults& results, const Progress& progress) const;

 private:
  struct Task {
    std::size_t log = 0;
    Rule rule;
    Window window;
  };
  std::vector<Task> missing(const StudyResults& results) const;
  Metrics measure_task(const Task& task) const;

  const StudyPlan& plan_;
  const std::vector<Workload>& workloads_;
  ReplayRule replay_;
};

// The jobs as if every user had asked for exactly the time that the job then ran.
Workload with_exact_requests(Workload workload);

}  // namespace hyades
