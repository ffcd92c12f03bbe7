// How far a job says that it has come, and when it would end if it went on like that. Pure
// functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/job_efficiency.hpp"

namespace hyades {

struct JobProgress {
  double done = 0;  // 0 to 1
  // Of a job that runs: extrapolated from the time that it took so far. 0: it has done nothing yet.
  WallMs expected_end_ms = 0;
  std::int64_t over_limit_s = 0;  // so much later than its time limit; 0: in time, or it has none
};

// Nothing when the job does not report it, or nothing that can be one.
std::optional<JobProgress> progress_of(const JobEfficiency& job);

// How long a job that was stopped would have run in all, extrapolated from its progress; nothing
// when it reported none, or none between 0 and 1.
std::optional<double> whole_run_s(const JobEfficiency& job);

// What a job calls its progress and cannot be one: 25, when it means 25 %.
std::optional<double> wrong_progress(const JobEfficiency& job);

// "expected end 2030-01-31T08:00:00, extrapolated", with a warning when that is too late; "" when
// there is none to be expected.
std::string expected_end_text(const JobProgress& progress);

}  // namespace hyades
