// Sizes, run times and gaps between submissions of rigid parallel jobs, after U. Lublin and
// D. G. Feitelson, "The workload on parallel supercomputers: modeling the characteristics of rigid
// jobs", J. Parallel Distrib. Comput. 63(11), 2003, with the parameters published there for jobs of
// all kinds together. The model was fitted to machines of 128 to 512 processors.
#pragma once

#include <cstdint>

#include "trace/random_numbers.hpp"

namespace hyades {

// Longer runs, and gaps, the model does not make; seconds.
inline constexpr std::int64_t lublin_run_max_s = 162'754;  // e^12

// 1..machine: serial, a power of two, or any, by a two-stage uniform distribution of its logarithm.
int lublin_procs(RandomNumbers& random, int machine);

// 1..lublin_run_max_s; the more processors, the longer.
std::int64_t lublin_run_s(RandomNumbers& random, int procs);

// Seconds to the next submission if all hours of the day were alike; > 0.
double lublin_gap_s(RandomNumbers& random);

}  // namespace hyades
