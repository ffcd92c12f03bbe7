#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "digits.hpp"
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

  /// The share of images whose digit it names correctly.
  double accuracy(const DigitSet& images);

  std::vector<NamedTensor> weights() const;

  /// Throws std::invalid_argument, naming the tensor, where names or shapes are not this network's.
  void set_weights(const std::vector<NamedTensor>& weights);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hyades::jobscripts
