// heff's answers for programs. docs/commands.md lists the keys. Pure functions; any thread.
#pragma once

#include "cli/efficiency_advice.hpp"
#include "cli/job_efficiency.hpp"
#include "cli/job_series.hpp"
#include "cli/json_output.hpp"

namespace hyades {

// What was not measured is null.
Json efficiency_json(const JobEfficiency& job, const Advice& advice);

// {"name", "value", "unit", "modelled"} each.
// null when the job does not say how far it has come.
Json progress_json(const JobEfficiency& job);

Json figures_json(const google::protobuf::RepeatedPtrField<pb::Figure>& figures);

// {"name", "unit", "from_time", "step_ms", "mean", "most"}; values that are not known are null.
Json series_json(const Series& series);

}  // namespace hyades
