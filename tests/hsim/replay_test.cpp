// The engine as `hsim` uses it: the queues of a configuration, and what is refused.
#include "hsim/replay.hpp"

#include <gtest/gtest.h>

#include "hsim/what_if.hpp"
#include "policy/backfill_policy.hpp"

namespace hyades {
namespace {

TraceJob job_of(std::int64_t id, std::int64_t submit_s, int queue) {
  TraceJob job;
  job.id = id;
  job.submit_s = submit_s;
  job.run_s = job.request_s = 100;
  job.procs = 4;
  job.queue = queue;
  return job;
}

// One machine of four cores that two queues share.
ClusterConfig two_queues(int debug_priority) {
  ClusterConfig config = pool_of(4, QueueOrder::Fcfs, Backfill::Easy);
  config.queues.push_back(config.queues.front());
  config.queues[1].name = "debug";
  config.queues[1].priority = debug_priority;
  return config;
}

NamedLog three_jobs() {
  NamedLog log;
  log.workload = {"log", 4, 0, {job_of(1, 0, 7), job_of(2, 1, 7), job_of(3, 2, 9)}};
  log.queues = {{7, "batch"}, {9, "debug"}};
  return log;
}

TEST(Replay, JobsWaitInTheQueuesThatTheLogNames) {
  const NamedLog log = three_jobs();
  const Replay alike = schedule(log, "alike", two_queues(0));
  EXPECT_EQ(alike.jobs[1].start_s, 100);
  EXPECT_EQ(alike.jobs[2].start_s, 200);
  const Replay preferred = schedule(log, "preferred", two_queues(10));
  EXPECT_EQ(preferred.jobs[1].start_s, 200);
  EXPECT_EQ(preferred.jobs[2].start_s, 100);
}

TEST(Replay, WhomNoQueueIsNamedAfterGoesToTheFirst) {
  NamedLog log = three_jobs();
  log.queues[9] = "gone";
  const Replay replay = schedule(log, "preferred", two_queues(10));
  EXPECT_EQ(replay.jobs[1].start_s, 100);
  EXPECT_EQ(replay.jobs[2].start_s, 200);
}

}  // namespace
}  // namespace hyades
