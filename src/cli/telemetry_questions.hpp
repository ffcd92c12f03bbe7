// What was measured of jobs, asked of the master. Throws Failure as MasterClient::get does.
#pragma once

#include <map>
#include <vector>

#include "cli/master_client.hpp"

namespace hyades {

struct TelemetryAnswer {
  std::map<std::uint64_t, pb::JobTelemetry> by_job;
  std::vector<std::uint64_t> hidden;  // of others, and not for us to see

  // The telemetry of that job, else null.
  const pb::JobTelemetry* find(std::uint64_t job) const;
};

// Of those jobs of which something is known. Asks for a few at a time: all series of many jobs
// would not fit into one answer. What the master does not let us see is `hidden` and no failure.
TelemetryAnswer ask_job_telemetry(MasterClient& master, const std::vector<pb::JobInfo>& jobs);

// Of one job; a failure when we may not see it.
TelemetryAnswer ask_job_telemetry(MasterClient& master, std::uint64_t job);

}  // namespace hyades
