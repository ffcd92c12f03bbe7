// The cluster's own history as a log in the Standard Workload Format, for hsim and for whatever
// else reads such logs.
#pragma once

#include "cli/job_columns.hpp"
#include "trace/history.hpp"

namespace hyades {

// `cores`: of all nodes together; 0: as many as the jobs ever used at a time. A job's processors
// are the cores of its last attempt, its wait ends with that. Throws std::runtime_error when no job
// of the list has run and ended.
HistoryLog job_log(const JobList& jobs, std::int64_t cores);

// The log's text, with its sources named for people.
std::string job_log_text(const HistoryLog& log);

}  // namespace hyades
