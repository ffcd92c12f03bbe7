#include "policy/run_model.hpp"

#include <algorithm>
#include <cmath>

#include "policy/plain_bytes.hpp"

namespace hyades {
namespace {

constexpr std::uint64_t kModelMagic = 0x314c444d4e555248;     // "HRUNMDL1"
constexpr std::uint64_t kExamplesMagic = 0x315350584e555248;  // "HRUNXPS1"

void put_trees(std::string& out, const TreeEnsemble& trees) {
  put_value(out, trees.base());
  put_value(out, std::uint64_t{trees.roots().size()});
  put(out, trees.roots().data(), trees.roots().size());
  put_value(out, std::uint64_t{trees.nodes().size()});
  put(out, trees.nodes().data(), trees.nodes().size());
}

bool take_trees(Taker& taker, TreeEnsemble& trees) {
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
  put_value(out, kModelMagic);
  put_value(out, std::uint64_t{observation_size});
  put_value(out, model.jobs);
  put_trees(out, model.share);
  put_trees(out, model.inverse);
  return out;
}

std::optional<RunModel> run_model_from(std::string_view bytes) {
  Taker taker(bytes);
  std::uint64_t magic = 0, width = 0;
  RunModel model;
  if (!taker.take(magic) || !taker.take(width) || magic != kModelMagic ||
      width != observation_size || !taker.take(model.jobs) || !take_trees(taker, model.share) ||
      !take_trees(taker, model.inverse) || !taker.is_empty() || !model.valid()) {
    return std::nullopt;
  }
  return model;
}

std::string to_bytes(const std::vector<RunExample>& examples) {
  std::string out;
  out.reserve(24 + examples.size() * sizeof(RunExample));
  put_value(out, kExamplesMagic);
  put_value(out, std::uint64_t{observation_size});
  put_value(out, std::uint64_t{examples.size()});
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
