// The environment that a batch script gets. Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/messages.hpp"

namespace hyades {

struct JobEnvironment {
  std::string cluster_id;
  std::string state_directory;
};

// "HYADES_LAUNCH=<cluster id>:<key>": the mark by which a launch's processes are found when their
// shepherd was killed.
std::string launch_mark(const std::string& cluster_id, const LaunchKey& key);

// True for variables by which an MPI library would believe that it was started by the mpirun that
// started Hyades: a job's own mpirun fails when it sees one.
bool belongs_to_outer_mpi(const std::string& variable);

// What the user submitted, without the outer MPI's variables, with HYADES_* set, OMP_NUM_THREADS
// unless the user has set it, and the SLURM_* of the same meaning for a script with #SBATCH lines.
// It adds less than this many variables to the user's.
constexpr std::size_t own_variables_max = 64;
std::vector<std::string> job_environment(const LaunchOrder& order, const JobEnvironment& where);

}  // namespace hyades
