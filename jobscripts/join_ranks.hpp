#pragma once

#include <memory>

#include "rank_group.hpp"

namespace hyades::jobscripts {

/// What the environment says about the others: MPI where mpirun started this, TCP where hrun did
/// (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT), else alone. Returns when all ranks are there;
/// throws std::runtime_error when they are not, or are more than `size_max`.
std::unique_ptr<RankGroup> join_ranks(int size_max);

}  // namespace hyades::jobscripts
