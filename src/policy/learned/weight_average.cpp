#include "policy/learned/weight_average.hpp"

#include <stdexcept>
#include <string>

#include "policy/learned/training_bytes.hpp"

namespace hyades::learned {
namespace {

using jobscripts::NamedTensor;

void must_fit(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b,
              std::size_t rank) {
  bool fit = a.size() == b.size();
  for (std::size_t i = 0; fit && i < a.size(); ++i) {
    fit = a[i].name == b[i].name && a[i].shape == b[i].shape &&
          a[i].values.size() == b[i].values.size();
  }
  if (!fit) {
    throw std::invalid_argument("rank " + std::to_string(rank) +
                                " has the weights of another network than rank 0");
  }
}

RankWeights weights_of(const std::string& bytes) {
  Taker from(bytes);
  RankWeights weights;
  if (!from.take(weights.experiences) || !take_tensors(from, weights.tensors)) {
    throw std::runtime_error("another rank sent what are no weights of this htrain");
  }
  return weights;
}

}  // namespace

std::vector<NamedTensor> weighted_mean(const std::vector<RankWeights>& of_ranks) {
  std::vector<NamedTensor> mean = of_ranks.at(0).tensors;
  double total = 0;
  for (const RankWeights& rank : of_ranks) total += static_cast<double>(rank.experiences);
  for (std::size_t r = 0; r < of_ranks.size(); ++r) must_fit(mean, of_ranks[r].tensors, r);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    for (std::size_t k = 0; k < mean[i].values.size(); ++k) {
      double sum = 0;
      for (const RankWeights& rank : of_ranks) {
        const double share = total > 0 ? static_cast<double>(rank.experiences) / total
                                       : 1 / static_cast<double>(of_ranks.size());
        sum += share * static_cast<double>(rank.tensors[i].values[k]);
      }
      mean[i].values[k] = static_cast<float>(sum);
    }
  }
  return mean;
}

std::vector<NamedTensor> average_of_ranks(TrainingRanks& ranks, const RankWeights& own) {
  std::string bytes;
  put_value(bytes, own.experiences);
  put_tensors(bytes, own.tensors);
  std::vector<RankWeights> all;
  for (const std::string& each : ranks.to_first(std::move(bytes))) all.push_back(weights_of(each));
  std::string answer;
  if (ranks.is_first()) put_tensors(answer, weighted_mean(all));
  const std::string mean_bytes = ranks.from_first(std::move(answer));
  std::vector<NamedTensor> mean;
  Taker from(mean_bytes);
  if (!take_tensors(from, mean)) throw std::runtime_error("rank 0 sent what are no weights");
  return mean;
}

}  // namespace hyades::learned
