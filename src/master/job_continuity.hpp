// A node's sampler may die, and the one after it knows nothing of what was: to it the job begins
// when it first looks. The master remembers, so that sums, peaks and courses of a job go on.
#pragma once

#include <vector>

#include "core/telemetry_report.hpp"
#include "hyades.pb.h"

namespace hyades {

// Takes over what the node says of the job now. Its energy never becomes less, nor do its peaks;
// all else is as it is now.
void carry_on(const std::vector<Figure>& now, pb::JobTelemetryNode& part);

// The same with a course: where `now` does not know what was, `part` does.
void carry_on(const JobSeries& now, pb::JobTelemetryNode& part);

}  // namespace hyades
