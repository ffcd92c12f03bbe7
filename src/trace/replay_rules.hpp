// The rules by which a job of a log becomes one that can be replayed; see swf_reader.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trace/clean_ups.hpp"
#include "trace/workload.hpp"

namespace hyades {

// Whether the job can be replayed, but for the size of the machine; what it asked for is put in
// order when it can. Counts either.
bool mend(TraceJob& job, CleanUps& clean_ups);

// Whether the job needs more than a machine of so many processors has, or a job may have.
bool is_too_large(const TraceJob& job, std::int64_t machine);

// The order of a workload's jobs.
bool by_submission(const TraceJob& a, const TraceJob& b);

// How many of the numbers occurred before.
std::int64_t duplicates(std::vector<std::int64_t> ids);

// Why the log `name` cannot be used: it has no job, or none that is left.
std::string no_job_sentence(const std::string& name, std::int64_t jobs_read,
                            const CleanUps& clean_ups);

}  // namespace hyades
