// What the first part of a job on several nodes is given for its steps. Pure functions; any thread.
#pragma once

#include "core/messages.hpp"
#include "step/step_file.hpp"

namespace hyades {

// Of an order for the first share; encode() and mpi_hostfile() make the texts of both files of it.
StepFile job_steps(const LaunchOrder& order);

}  // namespace hyades
