#pragma once

#include <memory>

#include "rank_group.hpp"

namespace hyades::jobscripts {

/// The ranks that mpirun started; call it once.
std::unique_ptr<RankGroup> join_mpi_ranks();

}  // namespace hyades::jobscripts
