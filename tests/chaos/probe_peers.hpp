// What the tasks of a step have to do with each other. With mpirun they are ranks of one MPI
// program; with hrun they are strangers.
#pragma once

namespace hyades::test {

// Before the work: returns when all have come.
void meet_peers();
// After it: all have done theirs.
void part_from_peers();

}  // namespace hyades::test
