// Two ways to look for the parameters with the least figure, at an equal budget of trainings:
//
// - genetic: a population; parents by tournament, uniform crossover, mutation to a neighbour or to
//   any value; the best of parents and children live on.
// - random: every genome is drawn by itself (Bergstra, Bengio 2012). What the other has to beat.
//
// Both begin with the same draws, as many as the population has, so that luck at the beginning
// decides nothing between them. Neither tries a genome twice: the same training gives the same
// figure. Deterministic given the seed. `score` is called once for each training, in their order.
#pragma once

#include <functional>

#include "policy/learned/hyper_parameters.hpp"

namespace hyades::learned {

struct SearchSettings {
  int budget = 24;  // trainings of each way
  int population = 8;
  int tournament = 3;
  int mutation_per_thousand = 200;  // of each gene
  std::uint64_t seed = 1;
};

struct TriedGenome {
  Genome genome{};
  double score = 0;  // less is better
};

using GenomeScore = std::function<double(const Genome& genome)>;

// In the order in which they were tried.
std::vector<TriedGenome> genetic_search(const SearchSettings& settings, const GenomeScore& score);
std::vector<TriedGenome> random_search(const SearchSettings& settings, const GenomeScore& score);

// The first with the least score. At least one.
const TriedGenome& best_of(const std::vector<TriedGenome>& tried);

}  // namespace hyades::learned
