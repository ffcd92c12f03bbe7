// Federated averaging (FedAvg; McMahan et al. 2017): ranks that learn from experiences of their own
// agree on weights, each counting for as much as it has lived through. Nothing else travels.
#pragma once

#include <cstdint>
#include <vector>

#include "policy/learned/training_ranks.hpp"
#include "safetensors.hpp"

namespace hyades::learned {

struct RankWeights {
  std::uint64_t experiences = 0;  // that these weights were learned from since the last average
  std::vector<jobscripts::NamedTensor> tensors;
};

// sum of experiences * weights / sum of experiences, value by value, in doubles, in the order of
// the ranks; where nobody has lived through anything, the plain mean. Throws std::invalid_argument,
// naming the rank, where the tensors of two are not of the same names and shapes.
std::vector<jobscripts::NamedTensor> weighted_mean(const std::vector<RankWeights>& of_ranks);

// The same of what every rank gives here, on every rank.
std::vector<jobscripts::NamedTensor> average_of_ranks(TrainingRanks& ranks, const RankWeights& own);

}  // namespace hyades::learned
