// The times that users ask for, of the shape that D. Tsafrir, Y. Etsion and D. G. Feitelson found
// ("Modeling user runtime estimates", JSSPP 2005): a few round values, the largest that is allowed
// among the most popular, and run times that are anything from nothing to all of what was asked
// for.
#pragma once

#include <cstdint>

#include "trace/random_numbers.hpp"

namespace hyades {

// The largest time that is asked for.
inline constexpr std::int64_t estimate_max_s = 48 * 3600;

// The smallest round value that is not below `seconds`, at most estimate_max_s.
std::int64_t round_estimate_s(std::int64_t seconds);

// What is asked for a job that usually runs so long.
std::int64_t estimate_s(RandomNumbers& random, std::int64_t run_s);

}  // namespace hyades
