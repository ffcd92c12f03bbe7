// Phase 2: one place for each job. Gradient refinement says where they pull; then each job in turn
// is put where that is worth most, and one repair pass moves single jobs and pairs for as long as
// that makes F smaller. Never worse than every job at its first place.
//
// Many jobs are looked at in groups (POP: Narayanan et al., SOSP'21, in turn rather than apart:
// each group sees where the others stand), so that time grows with their number, not its square.
//
// Deterministic. One thread. No allocation of devices or cores: those are the ledger's.
#pragma once

#include <cstddef>

#include "policy/local_descent.hpp"

namespace hyades {

struct AllocatorSettings {
  DescentSettings descent;
  bool gradient = true;  // false: each job in turn where it is cheapest, then repair
  bool repair = true;
  std::size_t group = 64;      // jobs that are looked at together
  std::size_t looks = 20'000;  // at places, in the repair of a group
};

struct Allocation {
  LocalChoice choice;
  double cost = 0;   // F
  double first = 0;  // F of every job at its first place
  int steps = 0;     // of the descent
};

// The first places of all jobs must fit together.
Allocation allocate(const LocalProblem& problem, const AllocatorSettings& settings = {});

}  // namespace hyades
