// What every workload promises, whoever made it: a reader, an importer, a generator.
#pragma once

#include <string>
#include <tuple>

#include "core/job_spec.hpp"
#include "trace/swf_reader.hpp"
#include "trace/workload.hpp"

namespace hyades {

// What is wrong with the job, else "".
inline std::string broken_promise(const TraceJob& job, int procs) {
  if (job.submit_s < 0 || job.submit_s > trace_seconds_max) return "submit time";
  if (job.run_s < 1 || job.run_s > job.request_s) return "run time";
  if (job.request_s > Limits::time_limit_s_max) return "requested time";
  if (job.procs < 1 || job.procs > procs) return "processors";
  if (job.memory_per_proc_kib < -1) return "memory";
  for (const int label : {job.user, job.group, job.executable, job.queue, job.partition}) {
    if (label < -1) return "label";
  }
  return "";
}

// "" when the workload keeps all promises.
inline std::string broken_promise(const Workload& workload) {
  if (workload.procs < 1 || workload.procs > trace_procs_max) return "machine";
  if (workload.unix_start_s < 0) return "start";
  const TraceJob* before = nullptr;
  for (const TraceJob& job : workload.jobs) {
    const std::string broken = broken_promise(job, workload.procs);
    if (!broken.empty()) return broken + " of job " + std::to_string(job.id);
    if (before != nullptr &&
        std::tie(job.submit_s, job.id) < std::tie(before->submit_s, before->id)) {
      return "order at job " + std::to_string(job.id);
    }
    before = &job;
  }
  return "";
}

}  // namespace hyades
