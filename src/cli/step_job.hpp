// What hrun and hrsh know of the job that they are called in.
#pragma once

#include <string>

#include "step/step_client.hpp"
#include "step/step_file.hpp"

namespace hyades {

// From the file that HYADES_STEP_FILE names, or, in a job on one node, from the environment. Throws
// Failure with what to do when this is not the first node of a job, or when the file cannot be
// read. `name`: the command's.
StepFile read_job(const std::string& name);

// An order for these shares in our own directory and environment, with nothing to run yet. Throws
// Failure when the current directory is gone.
StepOrder new_step_order(const std::string& name, const StepFile& job,
                         std::vector<StepShare> shares);

// So that no pipe or socket ever gets one of the numbers 0 to 2. To be called first.
void occupy_standard_streams();

}  // namespace hyades
