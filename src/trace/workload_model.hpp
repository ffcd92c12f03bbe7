// Makes workloads: jobs after Lublin and Feitelson's model, on demand with users and their habits,
// requests that are too long, bursts, memory, and a load that is asked for. The same model and seed
// give the same jobs everywhere.
#pragma once

#include <cstdint>
#include <string>

#include "trace/workload.hpp"

namespace hyades {

struct WorkloadModel {
  int procs = 256;  // of the machine
  std::int64_t jobs = 10'000;
  double load = 0;                  // offered_load(); 0: what the model makes of itself
  double bursts = 0;                // share of the jobs that come many within a minute
  int users = 0;                    // 0: none, each job is a draw of its own
  bool over_estimates = false;      // else each asks for exactly its run time
  std::int64_t memory_max_kib = 0;  // a processor; 0: nobody asks for memory
  std::uint64_t seed = 1;
};

// What is wrong with the model, as a sentence; "" when workloads can be made of it.
std::string problem_of(const WorkloadModel& model);

// Throws std::runtime_error with a sentence: problem_of(), or a load that so few jobs cannot make.
Workload generate_workload(const WorkloadModel& model);

// What the jobs would use of the machine from the first submission to the end of the last job if
// nobody ever waited: 1 is all of it. 0 without jobs.
double offered_load(const Workload& workload);

}  // namespace hyades
