#include "cnn.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "one_thread.hpp"
#include "random.hpp"

namespace hyades::jobscripts {
namespace {

constexpr std::size_t kBatch = 64;
/// 2, 3 and 4 ranks have the same number of slices each, and these the same number of images.
constexpr std::size_t kSlices = DigitCnn::slices_max;
constexpr std::size_t kParallelBatch = 8 * kSlices;

struct NetworkImpl : torch::nn::Module {
  NetworkImpl() {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("hidden", hidden);
    register_module("output", output);
  }

  torch::Tensor forward(torch::Tensor x) {
    x = torch::max_pool2d(torch::relu(conv1(x)), 2);
    x = torch::max_pool2d(torch::relu(conv2(x)), 2);
    return output(torch::relu(hidden(x.flatten(1))));
  }

  static constexpr int kSide = kDigitSide / 4;  // two poolings
  torch::nn::Conv2d conv1{torch::nn::Conv2dOptions(1, 12, 5).padding(2)};
  torch::nn::Conv2d conv2{torch::nn::Conv2dOptions(12, 24, 3).padding(1)};
  torch::nn::Linear hidden{24 * kSide * kSide, 64};
  torch::nn::Linear output{64, kDigitClasses};
};
TORCH_MODULE(Network);

struct Batch {
  torch::Tensor images;
  torch::Tensor labels;
};

/// Copies the images named by order[begin .. end) into tensors, pixels scaled to [0, 1].
Batch make_batch(const DigitSet& set, const std::vector<std::size_t>& order, std::size_t begin,
                 std::size_t end) {
  const auto count = static_cast<std::int64_t>(end - begin);
  const auto side = static_cast<std::int64_t>(kDigitSide);
  Batch batch{torch::empty({count, 1, side, side}), torch::empty({count}, torch::kInt64)};
  auto* pixels = batch.images.data_ptr<float>();
  auto* labels = batch.labels.data_ptr<std::int64_t>();
  for (std::size_t i = begin; i < end; ++i) {
    const std::uint8_t* source = set.pixels.data() + order[i] * kDigitPixels;
    pixels = std::transform(source, source + kDigitPixels, pixels,
                            [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
    *labels++ = set.labels[order[i]];
  }
  return batch;
}

std::vector<std::size_t> in_order(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

/// The first of `count` things that are rank `rank`'s, of `size` ranks.
std::size_t share_begin(std::size_t count, int rank, int size) {
  return count * static_cast<std::size_t>(rank) / static_cast<std::size_t>(size);
}

std::size_t number_of_weights(const std::vector<torch::Tensor>& parameters) {
  return std::accumulate(parameters.begin(), parameters.end(), std::size_t{0},
                         [](std::size_t sum, const torch::Tensor& parameter) {
                           return sum + static_cast<std::size_t>(parameter.numel());
                         });
}

Network make_network(std::uint64_t seed) {
  use_one_thread();
  torch::manual_seed(seed);
  return {};
}

}  // namespace

struct DigitCnn::State {
  State(std::uint64_t seed, double learning_rate)
      : random(seed),
        network(make_network(seed)),
        optimizer(network->parameters(), torch::optim::AdamOptions(learning_rate)) {}

  Random random;
  Network network;
  torch::optim::Adam optimizer;
};

DigitCnn::DigitCnn(std::uint64_t seed, double learning_rate)
    : state_(std::make_unique<State>(seed, learning_rate)) {}

DigitCnn::~DigitCnn() = default;

std::vector<std::size_t> DigitCnn::next_order(const DigitSet& images) {
  std::vector<std::size_t> order = in_order(images.size());
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[state_->random.below(i)]);
  }
  return order;
}

double DigitCnn::train_epoch(const DigitSet& images) {
  const std::vector<std::size_t> order = next_order(images);
  state_->network->train();
  double total = 0;
  for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
    const std::size_t end = std::min(begin + kBatch, order.size());
    const Batch batch = make_batch(images, order, begin, end);
    state_->optimizer.zero_grad();
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(state_->network(batch.images), batch.labels);
    loss.backward();
    state_->optimizer.step();
    total += loss.item<double>() * static_cast<double>(end - begin);
  }
  return total / static_cast<double>(std::max<std::size_t>(images.size(), 1));
}

/// Of the mean loss of a whole batch, of which a slice is `weight`; behind it that part of the
/// loss.
std::vector<float> DigitCnn::slice_gradient(const DigitSet& images,
                                            const std::vector<std::size_t>& order,
                                            std::size_t begin, std::size_t end, double weight) {
  const std::vector<torch::Tensor> parameters = state_->network->parameters();
  std::vector<float> gradient(number_of_weights(parameters) + 1, 0.0F);
  if (begin == end) return gradient;
  const Batch slice = make_batch(images, order, begin, end);
  state_->optimizer.zero_grad();
  const torch::Tensor loss =
      weight * torch::nn::functional::cross_entropy(state_->network(slice.images), slice.labels);
  loss.backward();
  auto to = gradient.begin();
  for (const torch::Tensor& parameter : parameters) {
    const torch::Tensor values = parameter.grad().contiguous();
    to = std::copy_n(values.data_ptr<float>(), values.numel(), to);
  }
  *to = loss.item<float>();
  return gradient;
}

double DigitCnn::train_epoch(const DigitSet& images, RankGroup& group) {
  const std::vector<std::size_t> order = next_order(images);
  const std::vector<torch::Tensor> parameters = state_->network->parameters();
  const std::size_t length = number_of_weights(parameters) + 1;
  const std::size_t first = share_begin(kSlices, group.rank(), group.size());
  const std::size_t last = share_begin(kSlices, group.rank() + 1, group.size());
  state_->network->train();
  double total = 0;
  for (std::size_t begin = 0; begin < order.size(); begin += kParallelBatch) {
    const std::size_t count = std::min(kParallelBatch, order.size() - begin);
    std::vector<std::vector<float>> slices;
    for (std::size_t slice = first; slice < last; ++slice) {
      const std::size_t from = begin + count * slice / kSlices;
      const std::size_t to = begin + count * (slice + 1) / kSlices;
      const double weight = static_cast<double>(to - from) / static_cast<double>(count);
      slices.push_back(slice_gradient(images, order, from, to, weight));
    }
    const std::vector<float> gradient = group.sum(slices, length);
    const float* from = gradient.data();
    for (const torch::Tensor& parameter : parameters) {
      // A rank may have had no image yet, and so no gradient.
      if (!parameter.grad().defined()) parameter.mutable_grad() = torch::empty_like(parameter);
      std::copy_n(from, parameter.numel(), parameter.mutable_grad().data_ptr<float>());
      from += parameter.numel();
    }
    state_->optimizer.step();
    total += static_cast<double>(gradient.back()) * static_cast<double>(count);
  }
  return total / static_cast<double>(std::max<std::size_t>(images.size(), 1));
}

double DigitCnn::accuracy(const DigitSet& images) {
  LoneRank alone;
  return accuracy(images, alone);
}

double DigitCnn::accuracy(const DigitSet& images, RankGroup& group) {
  const torch::NoGradGuard no_gradients;
  state_->network->eval();
  const std::vector<std::size_t> order = in_order(images.size());
  const std::size_t last = share_begin(order.size(), group.rank() + 1, group.size());
  std::int64_t correct = 0;
  for (std::size_t begin = share_begin(order.size(), group.rank(), group.size()); begin < last;
       begin += kBatch) {
    const Batch batch = make_batch(images, order, begin, std::min(begin + kBatch, last));
    const torch::Tensor named = state_->network(batch.images).argmax(1);
    correct += named.eq(batch.labels).sum().item<std::int64_t>();
  }
  // Counts are exact: there are far fewer images than a float can count.
  const float all = group.sum({{static_cast<float>(correct)}}, 1).front();
  return static_cast<double>(all) / static_cast<double>(std::max<std::size_t>(images.size(), 1));
}

void DigitCnn::copy_from_first(RankGroup& group) {
  const torch::NoGradGuard no_gradients;
  for (const torch::Tensor& parameter : state_->network->parameters()) {
    auto* const values = parameter.data_ptr<float>();
    std::vector<float> copy(values, values + parameter.numel());
    group.copy_from_first(copy);
    std::copy(copy.begin(), copy.end(), values);
  }
}

std::vector<NamedTensor> DigitCnn::weights() const {
  std::vector<NamedTensor> weights;
  for (const auto& parameter : state_->network->named_parameters()) {
    const torch::Tensor values = parameter.value().detach().contiguous();
    const auto* begin = values.data_ptr<float>();
    weights.push_back({parameter.key(), values.sizes().vec(), {begin, begin + values.numel()}});
  }
  return weights;
}

void DigitCnn::set_weights(const std::vector<NamedTensor>& weights) {
  const torch::NoGradGuard no_gradients;
  auto parameters = state_->network->named_parameters();
  if (weights.size() != parameters.size()) {
    throw std::invalid_argument(std::to_string(weights.size()) +
                                " tensors, where the network has " +
                                std::to_string(parameters.size()));
  }
  for (const NamedTensor& weight : weights) {
    torch::Tensor* parameter = parameters.find(weight.name);
    if (parameter == nullptr) {
      throw std::invalid_argument("the network has no tensor '" + weight.name + "'");
    }
    if (parameter->sizes() != torch::IntArrayRef(weight.shape)) {
      throw std::invalid_argument("tensor '" + weight.name + "' is of another shape");
    }
    std::copy(weight.values.begin(), weight.values.end(), parameter->data_ptr<float>());
  }
}

}  // namespace hyades::jobscripts
