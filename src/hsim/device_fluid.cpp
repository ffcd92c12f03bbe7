#include "hsim/device_fluid.hpp"

#include <algorithm>
#include <cmath>

#include "cli/failure.hpp"
#include "hsim/device_choice.hpp"

namespace hyades {
namespace {

constexpr double kNoSpeed = 1e-12;
constexpr double kDone = 1e-9;  // of its steps that are left

class FluidReplay {
 public:
  FluidReplay(const DeviceTrace& trace, const DeviceFleet& fleet, const ThroughputTable& table,
              SharePolicy policy)
      : trace_(trace), fleet_(fleet), table_(table), policy_(policy) {
    outcome_.runs.resize(trace.jobs.size());
    for (const DeviceJob& job : trace.jobs) left_.push_back(job.steps);
  }

  DeviceOutcome run() {
    now_s_ = static_cast<double>(trace_.jobs.front().arrival_ms) / 1000;
    while (arrived_ < trace_.jobs.size() || !active_.empty()) {
      while (arrived_ < trace_.jobs.size() && arrival_s() <= now_s_) active_.push_back(arrived_++);
      if (active_.empty()) {
        now_s_ = arrival_s();
        continue;
      }
      share();
      advance(next_s());
      retire();
    }
    return std::move(outcome_);
  }

 private:
  double arrival_s() const { return static_cast<double>(trace_.jobs[arrived_].arrival_ms) / 1000; }

  void share() {
    counts_.clear();
    for (const std::size_t job : active_) ++counts_[trace_.jobs[job].work];
    const ShareProblem problem = share_problem(counts_, fleet_, table_);
    shares_ = policy_ == SharePolicy::MaxMinFair ? max_min_fair(problem) : most_throughput(problem);
    speeds_.clear();
    std::size_t at = 0;
    for (const auto& [work, jobs] : counts_) {
      speeds_[work] = shares_.speed(problem, at);
      ++at;
    }
  }

  double next_s() const {
    double next = arrived_ < trace_.jobs.size() ? arrival_s() : INFINITY;
    for (const std::size_t job : active_) {
      const double speed = speeds_.at(trace_.jobs[job].work);
      if (speed > kNoSpeed) next = std::min(next, now_s_ + left_[job] / speed);
    }
    if (!std::isfinite(next)) throw Failure(trace_.name + ": jobs that never get any share");
    return next;
  }

  void advance(double to_s) {
    const double seconds = to_s - now_s_;
    for (const std::size_t job : active_) {
      const double speed = speeds_.at(trace_.jobs[job].work);
      DeviceRun& run = outcome_.runs[job];
      if (speed > kNoSpeed && run.start_ms < 0) run.start_ms = std::llround(1000 * now_s_);
      left_[job] -= speed * seconds;
    }
    std::size_t at = 0;
    for (const auto& [work, jobs] : counts_) {
      for (std::size_t k = 0; k < fleet_.parts.size(); ++k) {
        outcome_.device_hours[fleet_.parts[k].device] +=
            shares_.of[at][k] * jobs * work.workers * seconds / 3600;
      }
      ++at;
    }
    now_s_ = to_s;
  }

  void retire() {
    std::erase_if(active_, [&](std::size_t job) {
      const double speed = speeds_.at(trace_.jobs[job].work);
      // Less than a millisecond of work is none.
      const bool done = left_[job] <= std::max(kDone * trace_.jobs[job].steps, speed / 1000);
      if (done) outcome_.runs[job].end_ms = std::llround(1000 * now_s_);
      return done;
    });
  }

  const DeviceTrace& trace_;
  const DeviceFleet& fleet_;
  const ThroughputTable& table_;
  SharePolicy policy_;
  double now_s_ = 0;
  std::size_t arrived_ = 0;
  std::vector<std::size_t> active_;
  std::vector<double> left_;  // steps
  std::map<DeviceWork, double> counts_, speeds_;
  Shares shares_;
  DeviceOutcome outcome_;
};

}  // namespace

const char* name_of(SharePolicy policy) {
  return policy == SharePolicy::MaxMinFair ? "Gavel-like, max-min fair"
                                           : "Gavel-like, most throughput";
}

DeviceOutcome replay_shares(const DeviceTrace& trace, const DeviceFleet& fleet,
                            const ThroughputTable& table, SharePolicy policy) {
  return FluidReplay(trace, fleet, table, policy).run();
}

}  // namespace hyades
