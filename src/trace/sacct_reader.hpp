// Reads a site's history from what Slurm's accounting prints: `sacct -a -X -P -o ...`, columns
// separated by "|" (or commas, semicolons, tabs) and named by the first line, plain or packed.
//
// Used are, in any order: JobIDRaw or JobID; Submit; Start, End, ElapsedRaw or Elapsed (run time:
// the first of Elapsed and End - Start that is known); TimelimitRaw (minutes) or Timelimit;
// ReqCPUS, else AllocCPUS or NCPUS; ReqMem with NNodes or ReqNodes or AllocNodes; User or UID;
// Group or GID; JobName; Partition (as queue); QOS (as partition); State. Needed: a job's number,
// Submit, a run time, and processors.
#pragma once

#include <string>
#include <string_view>

#include "trace/history.hpp"
#include "trace/swf_reader.hpp"

namespace hyades {

// `procs`: the machine's; 0: see History::finish(). Throws std::runtime_error, with a sentence that
// names the file, when it cannot be read, misses a column or has no usable job.
HistoryLog read_sacct(const std::string& path, std::int64_t procs = 0,
                      const SwfLimits& limits = {});

// The same of bytes in memory; `name` stands for the file.
HistoryLog parse_sacct(const std::string& name, std::string_view bytes, std::int64_t procs = 0,
                       const SwfLimits& limits = {});

}  // namespace hyades
