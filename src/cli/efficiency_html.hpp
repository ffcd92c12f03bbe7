// heff --html: a job's report as one HTML file that needs nothing else: no network, no scripts,
// charts drawn inside. Pure function; any thread.
#pragma once

#include <string>

#include "cli/efficiency_advice.hpp"
#include "cli/job_efficiency.hpp"
#include "core/time.hpp"

namespace hyades {

// `telemetry` may be null: then there are no charts. Light or dark as the reader's browser is. All
// text of jobs, nodes and users is escaped: none of it can become markup.
std::string efficiency_html(const JobEfficiency& job, const Advice& advice,
                            const pb::JobTelemetry* telemetry, WallMs now_ms);

}  // namespace hyades
