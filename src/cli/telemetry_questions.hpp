// What was measured of jobs, asked of the master. Throws Failure as MasterClient::get does.
#pragma once

#include <map>
#include <vector>

#include "cli/master_client.hpp"

namespace hyades {

using TelemetryByJob = std::map<std::uint64_t, pb::JobTelemetry>;

// Of those jobs of which something is known, and that one may see. Asks for a few at a time: all
// series of many jobs would not fit into one answer.
TelemetryByJob ask_job_telemetry(MasterClient& master, const std::vector<std::uint64_t>& ids);

// The telemetry of that job, else null.
const pb::JobTelemetry* telemetry_of(const TelemetryByJob& all, std::uint64_t job);

}  // namespace hyades
