// Whose energy it was that a node used in a stretch of time.
//
// E is what the node used, G of it went into GPUs, i is the share of the rest that the node draws
// when it does nothing. With R = E - G, job j gets
//   g_j + R * i * cores_j / cores + R * (1 - i) * cpu_j / cpu
// where cores and cpu are the node's, and at least the sum of its jobs'. So who holds cores pays
// for keeping them powered, who computes pays for computing, and what a GPU's own meter says goes
// to its user. Cores that nobody holds, CPU time of the system and GPUs that nobody is on stay
// unattributed, so that the parts add up to E: a job does not get dearer because a node is empty.
//
// Meters disagree: where GPUs claim more than the node used, their figures are scaled down to E.
#pragma once

#include <vector>

namespace hyades {

struct JobUse {
  double cpu_seconds = 0;  // used
  double cores = 0;        // held, of this stretch on average
  double gpu_joules = 0;   // its part of the GPUs that it is on
};

struct NodeUse {
  double joules = 0;       // of the whole node, GPUs included
  double idle_share = 0;   // 0..1
  double cpu_seconds = 0;  // used by all of the node, its jobs included
  double cores = 0;        // that the node has
  double gpu_joules = 0;   // of all GPUs, the jobs' included
  std::vector<JobUse> jobs;
};

struct EnergyShares {
  std::vector<double> jobs_joules;  // in the order of NodeUse::jobs
  double unattributed_joules = 0;
};

// None is negative and their sum is `joules`. Of anything else that is no number or below 0, 0 is
// taken. When `joules` itself is, nothing is known and every part is kNoReading.
EnergyShares share_energy(const NodeUse& node);

}  // namespace hyades
