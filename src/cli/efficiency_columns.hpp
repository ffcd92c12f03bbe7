// Many jobs' efficiency as a table: heff with several jobs, hacct --efficiency.
#pragma once

#include <vector>

#include "cli/efficiency_advice.hpp"
#include "cli/job_efficiency.hpp"
#include "cli/table.hpp"

namespace hyades {

// JobID JobName User State Elapsed TimeEff CPUEff MemEff GPUEff Energy Suggestion; "-" is what was
// not measured, "~" before an energy says that it is modelled. Narrow terminals see fewer.
Table efficiency_table(const std::vector<JobEfficiency>& jobs);

}  // namespace hyades
