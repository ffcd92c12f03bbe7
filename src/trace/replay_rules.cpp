#include "trace/replay_rules.hpp"

#include <algorithm>

#include "core/job_spec.hpp"

namespace hyades {

bool by_submission(const TraceJob& a, const TraceJob& b) {
  return a.submit_s != b.submit_s ? a.submit_s < b.submit_s : a.id < b.id;
}

bool mend(TraceJob& job, CleanUps& clean_ups) {
  if (job.run_s <= 0) {
    clean_ups.add(CleanUp::NoRunTime);
  } else if (job.procs <= 0) {
    clean_ups.add(CleanUp::NoProcessors);
  } else if (job.submit_s < 0) {
    clean_ups.add(CleanUp::NegativeSubmit);
  } else {
    if (job.request_s <= 0) {
      job.request_s = job.run_s;
      clean_ups.add(CleanUp::NoRequest);
    }
    if (job.request_s > Limits::time_limit_s_max) {
      job.request_s = Limits::time_limit_s_max;
      clean_ups.add(CleanUp::LongRequest);
    }
    if (job.run_s > job.request_s) {
      job.run_s = job.request_s;
      clean_ups.add(CleanUp::RunCut);
    }
    return true;
  }
  return false;
}

bool is_too_large(const TraceJob& job, std::int64_t machine) {
  return job.procs > std::min<std::int64_t>(machine, Limits::count_max);
}

std::int64_t duplicates(std::vector<std::int64_t> ids) {
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  const auto distinct = std::unique(ids.begin(), ids.end()) - ids.begin();
  return static_cast<std::int64_t>(ids.size()) - distinct;
}

std::string no_job_sentence(const std::string& name, std::int64_t jobs_read,
                            const CleanUps& clean_ups) {
  std::string sentence = name + ": has no job that can be replayed";
  if (jobs_read == 0) sentence += "; it has none at all";
  for (const CleanUps::Line& line : clean_ups.lines()) {
    sentence += "; " + std::to_string(line.count) + " times " + line.sentence;
  }
  if (!clean_ups.examples().empty()) sentence += " (" + clean_ups.examples()[0] + ")";
  return sentence;
}

}  // namespace hyades
