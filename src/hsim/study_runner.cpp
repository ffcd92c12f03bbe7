#include "hsim/study_runner.hpp"

#include <algorithm>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>

#include "cli/failure.hpp"
#include "core/assert.hpp"
#include "hsim/replay_check.hpp"

namespace hyades {

Workload with_exact_requests(Workload workload) {
  for (TraceJob& job : workload.jobs) job.request_s = job.run_s;
  return workload;
}

std::vector<StudyRunner::Task> StudyRunner::missing(const StudyResults& results) const {
  std::vector<Task> tasks;
  for (std::size_t log = 0; log < plan_.logs.size(); ++log) {
    // What is learned from the jobs before a window is made once for all rules.
    for (const Window& window : plan_.logs[log].windows) {
      for (const Rule& rule : plan_.rules()) {
        if (!plan_.tries(plan_.logs[log], rule)) continue;
        if (!results.has(plan_.logs[log].name, rule, window)) tasks.push_back({log, rule, window});
      }
    }
  }
  return tasks;
}

Metrics StudyRunner::measure_task(const Task& task) const {
  Workload workload = cut(workloads_[task.log], task.window);
  if (task.rule.exact) workload = with_exact_requests(std::move(workload));
  const std::vector<ReplayedJob> jobs =
      replay_(workload, std::span(workloads_[task.log].jobs).first(task.window.first), task.rule);
  if (const std::string wrong = check_replay(workload, jobs); !wrong.empty()) {
    throw Failure(plan_.logs[task.log].name + ", " + rule_text(task.rule) + ", " +
                  std::to_string(task.window.count) + " jobs from " +
                  std::to_string(task.window.first) + ": the replay is wrong: " + wrong);
  }
  return measure(workload, jobs);
}

void StudyRunner::run(int threads, StudyCache& cache, StudyResults& results,
                      const Progress& progress) const {
  HYADES_ASSERT(workloads_.size() == plan_.logs.size());
  const std::vector<Task> tasks = missing(results);
  std::mutex mutex;  // for all that follows
  std::size_t next = 0, done = 0;
  std::exception_ptr failure;
  const std::size_t wanted =
      std::max<std::size_t>(std::min(static_cast<std::size_t>(threads), tasks.size()), 1);
  // What a thread has started may end with it (AdvisorPool), while another still plays.
  std::latch all_done(static_cast<std::ptrdiff_t>(wanted));
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (next < tasks.size() && !failure) {
      const Task& task = tasks[next++];
      lock.unlock();
      Metrics metrics;
      std::exception_ptr thrown;
      try {
        metrics = measure_task(task);
      } catch (...) {
        thrown = std::current_exception();
      }
      lock.lock();
      try {
        if (thrown) std::rethrow_exception(thrown);
        cache.add(plan_.logs[task.log], task.rule, task.window, metrics);
        results.add(plan_.logs[task.log].name, task.rule, task.window, metrics);
        if (progress) progress(++done, tasks.size());
      } catch (...) {
        if (!failure) failure = std::current_exception();
      }
    }
    lock.unlock();
    all_done.arrive_and_wait();
  };
  std::vector<std::thread> others;
  while (others.size() + 1 < wanted) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace hyades
