// Which variables tell an MPI library by whom it was started. Pure functions; any thread.
#pragma once

#include <string_view>

namespace hyades {

// True for variables ("NAME=value" or a name) by which an MPI library would believe that it was
// started by the mpirun that started Hyades: a job's own mpirun fails when it sees one.
bool belongs_to_outer_mpi(std::string_view variable);

// The same for a step of a job, where what the job's script or Hyades itself set for mpirun
// (OMPI_MCA_btl=..., OMPI_ALLOW_RUN_AS_ROOT=1) is meant for the step's programs, too. What an
// mpirun or orted around the step set for its own is not.
bool belongs_to_launching_mpi(std::string_view variable);

}  // namespace hyades
