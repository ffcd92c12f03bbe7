// Reads logs in the Standard Workload Format (the Parallel Workloads Archive's; 18 numbers a line),
// plain or packed with gzip, and makes of them jobs that can be replayed.
//
// The rules, which every result depends on: a job's processors are field 8 (asked for), else field
// 5 (got). Left out are jobs with run time <= 0, processors <= 0, more processors than the machine
// has, or submitted before the log's beginning. A time asked for that is not known is the run time;
// who ran longer was stopped at the limit. Order: by submission, then by number.
//
// Logs come from anywhere: a line that is not 18 numbers (of those fields that are used: finite, of
// a size that a log may have) is left out and counted, all that is mended is counted.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "trace/clean_ups.hpp"
#include "trace/swf_header.hpp"
#include "trace/workload.hpp"

namespace hyades {

struct SwfLog {
  Workload workload;  // at least one job
  SwfHeader header;
  CleanUps clean_ups;
  std::int64_t jobs_read = 0;  // workload.jobs.size() + clean_ups.left_out()
};

// What is refused rather than read; generous for any real log, small enough for a computer's
// memory.
struct SwfLimits {
  std::int64_t bytes_max = std::int64_t{4} << 30;  // of text, unpacked
  std::int64_t jobs_max = 10'000'000;
};

// Times are seconds up to some 300 years, as a log's may be; a machine has at most 10^9 processors.
inline constexpr std::int64_t trace_seconds_max = 10'000'000'000;
inline constexpr int trace_procs_max = 1'000'000'000;

// The log of a file, "-": standard input. `procs`: the machine's; 0: what the log's header says,
// MaxProcs, else MaxNodes. Throws std::runtime_error, with a sentence that names the file, when it
// cannot be read, is too large, does not say how large the machine is, or has no usable job.
SwfLog read_swf(const std::string& path, int procs = 0, const SwfLimits& limits = {});

// The same of bytes in memory; `name` stands for the file.
SwfLog parse_swf(const std::string& name, std::string_view bytes, int procs = 0,
                 const SwfLimits& limits = {});

}  // namespace hyades
