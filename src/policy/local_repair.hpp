// The integral part of phase 2: from shares to one place for each job, and from there to a better
// one.
#pragma once

#include "policy/local_descent.hpp"

namespace hyades {

// Jobs of which most is at one place first; each where it adds least to F, given those that are put
// and the shares of those that are not yet. False: some job found no room.
bool round_shares(const LocalProblem& problem, const LocalShares& x, LocalChoice& choice);

// In turn, the costliest differences first, each where it adds least. False likewise.
bool choose_in_turn(const LocalProblem& problem, LocalChoice& choice);

// Moves one job, or two at once, for as long as F gets smaller; at most so many looks at places.
// `choice` fits before and after.
void repair(const LocalProblem& problem, LocalChoice& choice, std::size_t looks);

}  // namespace hyades
