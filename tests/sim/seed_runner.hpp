// Runs many seeds of the simulation, on all cores of this machine, in processes of their own: an
// assertion that fails in one of them is a result, too, and not the end of the test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/marks.hpp"

namespace hyades {

struct SeedResult {
  std::uint64_t seed = 0;
  std::string oracle;  // which one failed; "": all is well; "assertion": the code stopped itself
  std::string what;
  std::uint64_t hash = 0;
  std::int64_t simulated_ms = 0;
  std::uint64_t jobs = 0;
  std::uint64_t processes = 0;
  std::uint64_t events = 0;
};

struct SeedRuns {
  std::vector<SeedResult> results;  // by seed
  Marks marks;                      // summed up

  std::uint64_t jobs() const;
  double simulated_days() const;
};

// The run of one seed, in this process. `trace`: prints what happens.
SeedResult run_seed(std::uint64_t seed, Marks& marks, bool trace = false);

// `first` .. `first + count - 1`. `stop_at_failure`: as soon as one has failed by an oracle, the
// others are not started.
SeedRuns run_seeds(std::uint64_t first, std::uint64_t count, bool stop_at_failure = false);

// What a person needs to look at a failed seed.
std::string describe(const SeedResult& result);

}  // namespace hyades
