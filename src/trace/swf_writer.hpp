// Writes jobs as a log in the Standard Workload Format; read_swf() reads the same jobs back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trace/swf_header.hpp"
#include "trace/workload.hpp"

namespace hyades {

// What became of a job on the system that its log is of; a replay does not use it. -1: not known.
struct SwfPast {
  int status = -1;  // 1 completed, 0 failed, 5 cancelled
};

// The log's text. Of `header` those facts are written that the workload does not say itself;
// `note`, if not empty, is written for people, one comment for each of its lines; `past` is empty
// or has one for each job.
std::string swf_text(const Workload& workload, const SwfHeader& header = {},
                     const std::string& note = "", const std::vector<SwfPast>& past = {});

}  // namespace hyades
