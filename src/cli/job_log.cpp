#include "cli/job_log.hpp"

#include <utility>

namespace hyades {
namespace {

constexpr std::int64_t kib_of_a_mib = 1024;

std::int64_t whole_seconds(WallMs ms) { return ms / 1000; }

int status_of(const std::string& state) {
  if (state == "COMPLETED") return 1;
  return state == "CANCELLED" ? 5 : 0;
}

RecordedJob past_job(const pb::JobInfo& info) {
  RecordedJob job;
  job.id = static_cast<std::int64_t>(info.id());
  job.submit_s = whole_seconds(info.submit_ms());
  job.start_s = whole_seconds(info.start_ms());
  // Who ran at all ran for a second: logs know nothing shorter.
  job.run_s = std::max<std::int64_t>(1, whole_seconds(info.end_ms() - info.start_ms() + 500));
  job.request_s = info.time_limit_s() > 0 ? info.time_limit_s() : -1;
  job.procs = info.cores();
  if (info.memory_mib() > 0 && info.cores() > 0) {
    job.memory_per_proc_kib = info.memory_mib() * kib_of_a_mib * info.node_count() / info.cores();
  }
  job.user = info.user();
  job.executable = info.name();
  job.queue = info.queue();
  job.status = status_of(info.state());
  return job;
}

}  // namespace

HistoryLog job_log(const JobList& jobs, std::int64_t cores) {
  History history;
  for (const pb::JobInfo& job : jobs) {
    if (job.start_ms() <= 0 || job.end_ms() <= 0) {
      history.leave_out(CleanUp::NotRun);
    } else {
      history.add(past_job(job));
    }
  }
  return std::move(history).finish("the history", cores);
}

std::string job_log_text(const HistoryLog& log) {
  SwfHeader header = log.header;
  header.computer = "Hyades";
  return swf_text(log.workload, header, "written by hacct --swf", log.past);
}

}  // namespace hyades
