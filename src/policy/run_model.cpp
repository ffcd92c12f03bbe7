#include "policy/run_model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace hyades {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kModelMagic = 0x314c444d4e555248;     // "HRUNMDL1"
constexpr std::uint64_t kExamplesMagic = 0x315350584e555248;  // "HRUNXPS1"

template <typename T>
void put(std::string& out, const T* values, std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

template <typename T>
void put(std::string& out, T value) {
  put(out, &value, 1);
}

// Takes values from the front; false, and nothing taken, where there are not so many.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : left_(bytes) {}

  template <typename T>
  bool take(T* values, std::size_t count) {
    if (left_.size() / sizeof(T) < count) return false;
    if (count > 0) std::memcpy(values, left_.data(), count * sizeof(T));
    left_.remove_prefix(count * sizeof(T));
    return true;
  }
  template <typename T>
  bool take(T& value) {
    return take(&value, 1);
  }
  // As many as a count in front says, not more than `most`.
  template <typename T>
  bool take(std::vector<T>& values, std::size_t most) {
    std::uint64_t count = 0;
    if (!take(count) || count > most || left_.size() / sizeof(T) < count) return false;
    values.resize(count);
    return take(values.data(), values.size());
  }
  bool is_empty() const { return left_.empty(); }

 private:
  std::string_view left_;
};

void put(std::string& out, const TreeEnsemble& trees) {
  put(out, trees.base());
  put(out, std::uint64_t{trees.roots().size()});
  put(out, trees.roots().data(), trees.roots().size());
  put(out, std::uint64_t{trees.nodes().size()});
  put(out, trees.nodes().data(), trees.nodes().size());
}

bool take(Taker& taker, TreeEnsemble& trees) {
  float base = 0;
  std::vector<std::int32_t> roots;
  std::vector<TreeEnsemble::Node> nodes;
  if (!taker.take(base) || !taker.take(roots, TreeEnsemble::trees_most) ||
      !taker.take(nodes, TreeEnsemble::nodes_most)) {
    return false;
  }
  trees = TreeEnsemble(base, std::move(roots), std::move(nodes));
  return true;
}

}  // namespace

ModelRow model_row(const Observation& observation) {
  ModelRow row;
  std::transform(observation.begin(), observation.end(), row.begin(),
                 [](double value) { return static_cast<float>(value); });
  return row;
}

RunForecast RunModel::forecast(const ModelRow& row, double request_s) const {
  const double request = std::max(request_s, 1.0);
  const double longest = std::max(request, shortest_run_s);
  const double run_s = static_cast<double>(share.answer(row)) * request;
  const double expected = static_cast<double>(this->inverse.answer(row)) / shortest_run_s;
  return {std::clamp(run_s, 1.0, request), std::clamp(expected, 1 / longest, 1 / shortest_run_s)};
}

RunExample run_example(const ModelRow& row, double run_s, double request_s) {
  const double request = std::max(request_s, 1.0);
  const double run = std::clamp(run_s, 0.0, request);
  return {row, static_cast<float>(run / request),
          static_cast<float>(shortest_run_s / std::max(run, shortest_run_s))};
}

std::string to_bytes(const RunModel& model) {
  std::string out;
  put(out, kModelMagic);
  put(out, std::uint64_t{observation_size});
  put(out, model.jobs);
  put(out, model.share);
  put(out, model.inverse);
  return out;
}

std::optional<RunModel> run_model_from(std::string_view bytes) {
  Taker taker(bytes);
  std::uint64_t magic = 0, width = 0;
  RunModel model;
  if (!taker.take(magic) || !taker.take(width) || magic != kModelMagic ||
      width != observation_size || !taker.take(model.jobs) || !take(taker, model.share) ||
      !take(taker, model.inverse) || !taker.is_empty() || !model.valid()) {
    return std::nullopt;
  }
  return model;
}

std::string to_bytes(const std::vector<RunExample>& examples) {
  std::string out;
  out.reserve(24 + examples.size() * sizeof(RunExample));
  put(out, kExamplesMagic);
  put(out, std::uint64_t{observation_size});
  put(out, std::uint64_t{examples.size()});
  put(out, examples.data(), examples.size());
  return out;
}

std::optional<std::vector<RunExample>> run_examples_from(std::string_view bytes) {
  Taker taker(bytes);
  std::uint64_t magic = 0, width = 0;
  std::vector<RunExample> examples;
  if (!taker.take(magic) || !taker.take(width) || magic != kExamplesMagic ||
      width != observation_size || !taker.take(examples, RunModelTrainer::examples_most) ||
      !taker.is_empty()) {
    return std::nullopt;
  }
  return examples;
}

}  // namespace hyades
