#include "policy/learned/genetic_search.hpp"

#include <algorithm>
#include <set>

#include "core/assert.hpp"

namespace hyades::learned {
namespace {

std::uint8_t any_value(std::size_t gene, Prng& random) {
  return static_cast<std::uint8_t>(random.below(hyper_parameters()[gene].values.size()));
}

Genome any_genome(Prng& random) {
  Genome genome{};
  for (std::size_t i = 0; i < genome.size(); ++i) genome[i] = any_value(i, random);
  return genome;
}

// Mostly a neighbour; now and then any value, or what is far away would never be found.
std::uint8_t mutated(std::size_t gene, std::uint8_t value, Prng& random) {
  if (random.chance(250)) return any_value(gene, random);
  const bool up = random.chance(500);
  const auto last = static_cast<std::uint8_t>(hyper_parameters()[gene].values.size() - 1);
  if (up) return value < last ? static_cast<std::uint8_t>(value + 1) : value;
  return value > 0 ? static_cast<std::uint8_t>(value - 1) : value;
}

bool is_better(const TriedGenome& a, const TriedGenome& b) { return a.score < b.score; }

class Search {
 public:
  Search(const SearchSettings& settings, const GenomeScore& score)
      : settings_(settings), score_(score), random_(settings.seed) {}

  bool has_budget() const {
    return tried_.size() < static_cast<std::size_t>(std::max(settings_.budget, 1));
  }
  // False where it was tried before.
  bool try_out(const Genome& genome) {
    if (!known_.insert(genome).second) return false;
    tried_.push_back({genome, score_(genome)});
    return true;
  }
  void try_any() {
    while (!try_out(any_genome(random_))) {
    }
  }
  void try_first_ones() {
    for (int i = 0; i < settings_.population && has_budget(); ++i) try_any();
  }
  // A child of the population that was not tried yet.
  void try_child(const std::vector<TriedGenome>& population) {
    Genome child = crossed(winner(population), winner(population));
    do {
      for (std::size_t i = 0; i < child.size(); ++i) {
        if (random_.chance(settings_.mutation_per_thousand)) {
          child[i] = mutated(i, child[i], random_);
        }
      }
    } while (!try_out(child));
  }
  const std::vector<TriedGenome>& tried() const { return tried_; }

 private:
  const Genome& winner(const std::vector<TriedGenome>& population) {
    const TriedGenome* best = &random_.pick(population);
    for (int i = 1; i < settings_.tournament; ++i) {
      const TriedGenome& other = random_.pick(population);
      if (is_better(other, *best)) best = &other;
    }
    return best->genome;
  }
  Genome crossed(const Genome& a, const Genome& b) {
    Genome child = a;
    for (std::size_t i = 0; i < child.size(); ++i) {
      if (random_.chance(500)) child[i] = b[i];
    }
    return child;
  }

  SearchSettings settings_;
  const GenomeScore& score_;
  Prng random_;
  std::set<Genome> known_;
  std::vector<TriedGenome> tried_;
};

// How many genomes there are; a search cannot try more.
std::size_t genomes() {
  std::size_t count = 1;
  for (const HyperParameter& parameter : hyper_parameters()) count *= parameter.values.size();
  return count;
}

}  // namespace

std::vector<TriedGenome> genetic_search(const SearchSettings& settings, const GenomeScore& score) {
  HYADES_ASSERT(static_cast<std::size_t>(settings.budget) <= genomes());
  Search search(settings, score);
  search.try_first_ones();
  const auto most = static_cast<std::size_t>(std::max(settings.population, 1));
  std::vector<TriedGenome> population = search.tried();
  while (search.has_budget()) {
    const std::vector<TriedGenome> parents = population;
    for (std::size_t i = 0; i < most && search.has_budget(); ++i) {
      search.try_child(parents);
      population.push_back(search.tried().back());
    }
    std::stable_sort(population.begin(), population.end(), is_better);
    if (population.size() > most) population.resize(most);
  }
  return search.tried();
}

std::vector<TriedGenome> random_search(const SearchSettings& settings, const GenomeScore& score) {
  HYADES_ASSERT(static_cast<std::size_t>(settings.budget) <= genomes());
  Search search(settings, score);
  search.try_first_ones();
  while (search.has_budget()) search.try_any();
  return search.tried();
}

const TriedGenome& best_of(const std::vector<TriedGenome>& tried) {
  return *std::min_element(tried.begin(), tried.end(), is_better);
}

}  // namespace hyades::learned
