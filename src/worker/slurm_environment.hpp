// The variables that a script written for Slurm expects. Pure functions; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/messages.hpp"

namespace hyades {

// True when the script has lines that begin with #SBATCH.
bool has_slurm_directives(std::string_view script);

// Adds SLURM_* to `variables`, which must have the job's HYADES_* already.
void add_slurm_variables(const LaunchOrder& order, std::map<std::string, std::string>& variables);

}  // namespace hyades
