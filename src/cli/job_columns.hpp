// Jobs as tables: what hstat and hacct print.
#pragma once

#include <string>
#include <vector>

#include "cli/table.hpp"
#include "core/time.hpp"
#include "hyades.pb.h"

namespace hyades {

using JobList = std::vector<pb::JobInfo>;

enum class QueueColumns { Normal, Long, Starts };

// squeue's columns: JOBID QUEUE NAME USER ST TIME NODES NODELIST(REASON), or with STATE,
// TIME_LIMIT and START, or with the expected start. `in_full`: reasons with what was said last
// about the job; the long view always has them so.
Table queue_table(const JobList& jobs, QueueColumns view, WallMs now_ms, bool in_full = false);

// sacct's columns: JobID JobName Queue User AllocCPUS State ExitCode Elapsed Start End MaxRSS
// NodeList Reason; narrow terminals see fewer.
Table history_table(const JobList& jobs, WallMs now_ms);

// The recorded events of one job.
Table event_table(const std::vector<pb::EventInfo>& events);

// Every column of `table` as "JobID|JobName|..." lines for scripts, with history_table's columns.
std::string history_lines(const JobList& jobs, WallMs now_ms, bool header);

// By keys such as "queue,-time": id name user queue state time start priority nodes. False, and
// the list unchanged, when a key is unknown.
bool sort_jobs(JobList& jobs, const std::string& keys, WallMs now_ms);

// How long the job has run, or ran, in seconds.
std::int64_t elapsed_s(const pb::JobInfo& job, WallMs now_ms);

Colour state_colour(const std::string& state);

// "vn[1-4]" for "vn1,vn2,vn3,vn4".
std::string short_nodes(const std::string& node_names);

}  // namespace hyades
