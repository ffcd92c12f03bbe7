// A small cluster of unlike nodes, and what the master's policy decides on it.
#pragma once

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <string>
#include <vector>

#include "policy/backfill_policy.hpp"

namespace hyades {

inline constexpr WallMs kNow = 1'000'000;

inline NodeProfile profile(std::map<std::string, double> figures) {
  return {.measured_ms = 1, .source = "a test", .figures = std::move(figures)};
}

// Nodes, jobs that run and jobs that wait for one decision.
class PlacementFixture : public testing::Test {
 protected:
  void add_node(const std::string& name, const std::string& group = "",
                const std::map<std::string, double>& figures = {}, int cores = 4) {
    Inventory inventory{.cores = cores, .memory_mib = 4096};
    cluster_.define(name, inventory);
    cluster_.find(name)->responding = true;
    if (!figures.empty()) cluster_.set_profile(name, profile(figures));
    config_.nodes.push_back({name, inventory, group});
  }

  JobSpec spec(const std::string& work, int tasks = 1, int nodes = 0) {
    JobSpec out;
    out.queue = "batch";
    out.work_class = work;
    out.tasks = tasks;
    out.nodes = nodes;
    out.time_limit_s = 600;
    return out;
  }

  JobId submit(const JobSpec& asked) {
    Job& job = jobs_.emplace_back();
    job.id = static_cast<JobId>(jobs_.size());
    job.spec = asked;
    waiting_.insert(waiting_job(job, static_cast<double>(job.id)));
    return job.id;
  }

  // It has been there before phase 2 is asked.
  void run(const JobSpec& asked, const Plan& plan) {
    Job& job = jobs_.emplace_back();
    job.id = static_cast<JobId>(jobs_.size());
    job.spec = asked;
    job.phase = JobPhase::Running;
    job.started_ms = kNow - 1000;
    job.placement = cluster_.choose(asked, plan);
    cluster_.take(job.placement);
    running_.insert({job.expected_end_ms(), job.id, &job, nullptr, job.placement.cores(), 0});
  }

  Decision decide(WallMs now_ms = kNow) {
    config_.guard.enabled = false;
    if (config_.queues.empty()) config_.queues.push_back({"batch"});
    policy_.configure(config_);
    std::vector<QueueView> views = {{&config_.queues.front(),
                                     &waiting_,
                                     std::vector<char>(cluster_.nodes().size(), 1),
                                     kNow,
                                     {}}};
    return policy_.decide(views, {&cluster_, &running_, &cluster_.free()}, now_ms);
  }

  std::string nodes_of(const Decision& decision, JobId job) const {
    std::string names;
    for (const Start& start : decision.starts) {
      if (start.job != job) continue;
      for (const PlannedShare& share : start.plan) {
        names += (names.empty() ? "" : ",") +
                 cluster_.nodes()[static_cast<std::size_t>(share.node)].name;
      }
    }
    return names;
  }

  ClusterConfig config_;
  Cluster cluster_;
  std::list<Job> jobs_;
  WaitingList waiting_;
  RunningList running_;
  BackfillPolicy policy_;
};

}  // namespace hyades
