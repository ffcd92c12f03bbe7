#include "trace/estimates.hpp"

#include <algorithm>
#include <iterator>

namespace hyades {
namespace {

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 3600;

constexpr std::int64_t round_values_s[] = {
    minute,    5 * minute, 10 * minute, 15 * minute, 20 * minute,   30 * minute, hour,
    2 * hour,  3 * hour,   4 * hour,    5 * hour,    6 * hour,      8 * hour,    10 * hour,
    12 * hour, 18 * hour,  24 * hour,   36 * hour,   estimate_max_s};

// Who asks for all that is allowed, whatever the job does.
constexpr double asks_for_most = 0.12;

// Nobody asks for less than a job needs as a rule; of the rest the used part is evenly spread.
constexpr double used_part_min = 0.02;

}  // namespace

std::int64_t round_estimate_s(std::int64_t seconds) {
  const auto* const value =
      std::lower_bound(std::begin(round_values_s), std::end(round_values_s), seconds);
  return value == std::end(round_values_s) ? estimate_max_s : *value;
}

std::int64_t estimate_s(RandomNumbers& random, std::int64_t run_s) {
  const bool most = random.chance(asks_for_most);
  const double used_part = used_part_min + (1 - used_part_min) * random.uniform();
  if (most) return estimate_max_s;
  return round_estimate_s(static_cast<std::int64_t>(static_cast<double>(run_s) / used_part));
}

}  // namespace hyades
