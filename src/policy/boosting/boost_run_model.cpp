#include "policy/boosting/boost_run_model.hpp"

#include <xgboost/c_api.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace hyades {
namespace {

using Json = nlohmann::json;

void must(int result) {
  if (result != 0) throw std::runtime_error(std::string("XGBoost: ") + XGBGetLastError());
}

struct FreeMatrix {
  void operator()(void* matrix) const { XGDMatrixFree(matrix); }
};
struct FreeBooster {
  void operator()(void* booster) const { XGBoosterFree(booster); }
};
using Matrix = std::unique_ptr<void, FreeMatrix>;
using Booster = std::unique_ptr<void, FreeBooster>;

Matrix matrix_of(const std::vector<RunExample>& examples) {
  std::vector<float> values;
  values.reserve(examples.size() * observation_size);
  for (const RunExample& example : examples) {
    values.insert(values.end(), example.row.begin(), example.row.end());
  }
  DMatrixHandle handle = nullptr;
  must(XGDMatrixCreateFromMat(values.data(), examples.size(), observation_size,
                              std::numeric_limits<float>::quiet_NaN(), &handle));
  return Matrix(handle);
}

// Adds a tree with its root at `from`, each child behind its parent, whatever the library's order.
class TreeCopier {
 public:
  TreeCopier(const Json& tree, std::vector<TreeEnsemble::Node>& nodes)
      : left_(tree.at("left_children").get<std::vector<int>>()),
        right_(tree.at("right_children").get<std::vector<int>>()),
        features_(tree.at("split_indices").get<std::vector<int>>()),
        values_(tree.at("split_conditions").get<std::vector<float>>()),
        nodes_(nodes) {}

  std::int32_t copy(std::size_t from) {
    const auto at = nodes_.size();
    nodes_.push_back({-1, values_.at(from), 0, 0});
    if (left_.at(from) >= 0) {
      const std::int32_t left = copy(static_cast<std::size_t>(left_[from]));
      const std::int32_t right = copy(static_cast<std::size_t>(right_.at(from)));
      nodes_[at].feature = features_.at(from);
      nodes_[at].left = left;
      nodes_[at].right = right;
    }
    return static_cast<std::int32_t>(at);
  }

 private:
  std::vector<int> left_, right_, features_;
  std::vector<float> values_;
  std::vector<TreeEnsemble::Node>& nodes_;
};

// Of the library's own documented JSON.
TreeEnsemble trees_of(const Json& model) {
  const Json& learner = model.at("learner");
  const float base =
      std::stof(learner.at("learner_model_param").at("base_score").get<std::string>());
  std::vector<std::int32_t> roots;
  std::vector<TreeEnsemble::Node> nodes;
  for (const Json& tree : learner.at("gradient_booster").at("model").at("trees")) {
    roots.push_back(TreeCopier(tree, nodes).copy(0));
  }
  return {base, std::move(roots), std::move(nodes)};
}

TreeEnsemble boost(void* matrix, const std::vector<float>& targets, const BoostSettings& settings) {
  must(XGDMatrixSetFloatInfo(matrix, "label", targets.data(), targets.size()));
  BoosterHandle handle = nullptr;
  must(XGBoosterCreate(&matrix, 1, &handle));
  const Booster booster(handle);
  double sum = 0;
  for (const float target : targets) sum += static_cast<double>(target);
  const std::map<std::string, std::string> parameters = {
      {"objective", "reg:squarederror"},
      {"tree_method", "hist"},
      {"nthread", "1"},
      {"verbosity", "0"},
      {"base_score", std::to_string(sum / static_cast<double>(targets.size()))},
      {"max_depth", std::to_string(settings.depth)},
      {"eta", std::to_string(settings.rate)},
      {"min_child_weight", std::to_string(settings.least_weight)},
      {"colsample_bytree", std::to_string(settings.column_share)},
      {"subsample", std::to_string(settings.row_share)},
      {"seed", std::to_string(settings.seed)}};
  for (const auto& [key, value] : parameters) {
    must(XGBoosterSetParam(handle, key.c_str(), value.c_str()));
  }
  for (int i = 0; i < settings.trees; ++i) must(XGBoosterUpdateOneIter(handle, i, matrix));
  bst_ulong size = 0;
  const char* text = nullptr;
  must(XGBoosterSaveModelToBuffer(handle, R"({"format":"json"})", &size, &text));
  return trees_of(Json::parse(text, text + size));
}

}  // namespace

RunModel boost_run_model(const std::vector<RunExample>& examples, const BoostSettings& settings) {
  if (examples.empty()) throw std::runtime_error("there is no job to learn from");
  const Matrix matrix = matrix_of(examples);
  std::vector<float> shares, inverses;
  for (const RunExample& example : examples) {
    shares.push_back(example.share);
    inverses.push_back(example.inverse);
  }
  RunModel model;
  model.jobs = static_cast<std::int64_t>(examples.size());
  model.share = boost(matrix.get(), shares, settings);
  model.inverse = boost(matrix.get(), inverses, settings);
  if (!model.valid()) throw std::runtime_error("XGBoost made a model that cannot be used");
  return model;
}

}  // namespace hyades
