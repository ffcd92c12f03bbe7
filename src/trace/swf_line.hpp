// One job's line of a log in the Standard Workload Format.
#pragma once

#include <string>
#include <string_view>

#include "trace/clean_ups.hpp"
#include "trace/workload.hpp"

namespace hyades {

// The line's job as it stands there: the numbers may be anything a line can say, -1 for all that is
// not known; only `procs` is chosen already. Counts what it mended. False: the line is not a job,
// and `problem` says why (when it is asked for).
bool parse_swf_line(std::string_view line, TraceJob& job, CleanUps& clean_ups,
                    std::string* problem);

}  // namespace hyades
