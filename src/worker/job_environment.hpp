// The environment that a batch script gets. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/messages.hpp"

namespace hyades {

struct JobEnvironment {
  std::string cluster_id;
  std::string state_directory;
  // Where hrsh and the other programs are; "": mpirun is left to itself.
  std::string program_directory;
  // Where the first part of a job on several nodes finds its step file and mpirun's hostfile; "":
  // there is no other node.
  std::string step_file;
  std::string mpi_hostfile;
};

// "HYADES_LAUNCH=<cluster id>:<key>": the mark by which a launch's processes are found when their
// shepherd was killed.
std::string launch_mark(const std::string& cluster_id, const LaunchKey& key);

// What the user submitted, without the variables of an MPI around it (step/mpi_variables.hpp), with
// HYADES_* set, OMP_NUM_THREADS unless the user has set it, what makes a plain mpirun use the job's
// nodes and tasks, and the SLURM_* of the same meaning for a script with #SBATCH lines. It adds
// less than this many variables to the user's.
constexpr std::size_t own_variables_max = 128;
std::vector<std::string> job_environment(const LaunchOrder& order, const JobEnvironment& where);

}  // namespace hyades
