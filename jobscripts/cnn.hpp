#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "digits.hpp"
#include "rank_group.hpp"
#include "safetensors.hpp"

namespace hyades::jobscripts {

/// A small convolutional network that reads digits. It uses one thread: a batch job computes on
/// the cores it asked for. No Torch header is needed to use it, because each one that includes
/// Torch compiles for a minute.
class DigitCnn {
 public:
  /// The same seed gives the same first weights and the same order of the training images.
  DigitCnn(std::uint64_t seed, double learning_rate);
  ~DigitCnn();
  DigitCnn(const DigitCnn&) = delete;
  DigitCnn& operator=(const DigitCnn&) = delete;

  /// One pass over all images in a new random order; gives the mean loss.
  double train_epoch(const DigitSet& images);

  /// The same with the ranks of `group`, which all hold the same network and images. The gradient
  /// of a batch is computed in slices, which the ranks share among themselves and add up in their
  /// order: weights and loss are the same, bit for bit, however many ranks there are (on processors
  /// of one kind; on others the arithmetic may round differently). At most `slices_max` ranks.
  double train_epoch(const DigitSet& images, RankGroup& group);
  static constexpr int slices_max = 12;

  /// The share of images whose digit it names correctly.
  double accuracy(const DigitSet& images);

  /// Likewise, shared among the ranks.
  double accuracy(const DigitSet& images, RankGroup& group);

  /// Gives all ranks the weights of the first, in case their processors differ.
  void copy_from_first(RankGroup& group);

  std::vector<NamedTensor> weights() const;

  /// Throws std::invalid_argument, naming the tensor, where names or shapes are not this network's.
  void set_weights(const std::vector<NamedTensor>& weights);

 private:
  std::vector<std::size_t> next_order(const DigitSet& images);
  std::vector<float> slice_gradient(const DigitSet& images, const std::vector<std::size_t>& order,
                                    std::size_t begin, std::size_t end, double weight);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hyades::jobscripts
