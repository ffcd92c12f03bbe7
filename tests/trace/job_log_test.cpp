#include "cli/job_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trace/swf_reader.hpp"
#include "workload_contract.hpp"

namespace hyades {
namespace {

using ::testing::HasSubstr;

constexpr WallMs began_ms = 1'700'000'000'000;

pb::JobInfo ended(std::uint64_t id, WallMs submit_ms, WallMs start_ms, WallMs end_ms) {
  pb::JobInfo job;
  job.set_id(id);
  job.set_name("train");
  job.set_user("ada");
  job.set_queue("batch");
  job.set_state("COMPLETED");
  job.set_cores(8);
  job.set_node_count(2);
  job.set_memory_mib(4096);
  job.set_time_limit_s(3600);
  job.set_submit_ms(began_ms + submit_ms);
  job.set_start_ms(start_ms < 0 ? 0 : began_ms + start_ms);
  job.set_end_ms(end_ms < 0 ? 0 : began_ms + end_ms);
  return job;
}

TEST(JobLog, IsTheHistoryAsItWas) {
  JobList jobs{ended(7, 5000, 65'000, 164'700), ended(3, 0, 100, 300), ended(9, 9000, -1, 12'000),
               ended(10, 9000, 10'000, -1)};
  jobs[1].set_state("CANCELLED");
  jobs[1].set_user("bob");
  jobs[1].set_time_limit_s(0);
  jobs[1].set_memory_mib(0);
  const HistoryLog log = job_log(jobs, 64);
  EXPECT_EQ(broken_promise(log.workload), "");
  const TraceJob first{3, 0, 1, 1, 8, -1, 2, -1, 1, 1, -1, 0};
  const TraceJob second{7, 5, 100, 3600, 8, 1024 * 1024, 1, -1, 1, 1, -1, 60};
  EXPECT_EQ(log.workload.jobs, (std::vector{first, second}));
  EXPECT_EQ(log.workload.procs, 64);
  EXPECT_EQ(log.workload.unix_start_s, began_ms / 1000);
  EXPECT_EQ(log.past[0].status, 5);
  EXPECT_EQ(log.past[1].status, 1);
  EXPECT_EQ(log.workload.jobs[1].wait_s, 60);
  EXPECT_EQ(log.clean_ups.count(CleanUp::NotRun), 2);
  EXPECT_EQ(log.clean_ups.count(CleanUp::NoRequest), 1);

  const SwfLog read = parse_swf("x.swf", job_log_text(log));
  EXPECT_EQ(read.workload.jobs, log.workload.jobs);
  EXPECT_EQ(read.header.queues.at(1), "batch");
  EXPECT_TRUE(read.clean_ups.lines().empty());
}

TEST(JobLog, OfNothingThereIsNone) {
  EXPECT_THROW(job_log({}, 4), std::runtime_error);
  EXPECT_THROW(job_log({ended(1, 0, -1, -1)}, 4), std::runtime_error);
}

}  // namespace
}  // namespace hyades
