// How many random cases a test tries, and which. HYADES_DIFFERENTIAL_CASES=N tries N instead of all
// (where each takes long); HYADES_DIFFERENTIAL_SEED=S tries that one alone, as a failure says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/config.hpp"

namespace hyades {

struct CaseRange {
  std::uint64_t first = 1;
  std::uint64_t count = 0;
};

// A number of the environment, which may be less than what it is without.
inline CaseRange random_cases(std::uint64_t all) {
  if (const char* const seed = std::getenv("HYADES_DIFFERENTIAL_SEED")) {
    return {std::strtoull(seed, nullptr, 10), 1};
  }
  if (const char* const count = std::getenv("HYADES_DIFFERENTIAL_CASES")) {
    return {1, std::min<std::uint64_t>(all, std::strtoull(count, nullptr, 10))};
  }
  return {1, all};
}

// Orders that the naive schedulers of these tests know, too: those by what jobs ask for.
inline const std::vector<QueueOrder>& orders_by_request() {
  static const std::vector<QueueOrder> orders = [] {
    std::vector<QueueOrder> all = all_queue_orders();
    std::erase_if(all, predicts);
    return all;
  }();
  return orders;
}

}  // namespace hyades
