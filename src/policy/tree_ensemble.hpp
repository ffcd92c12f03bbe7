// Regression trees whose answers are added: what boosting makes, without the library that made it.
// So a model is data that can be checked before it is used, and whoever asks it needs no more than
// this file.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hyades {

class TreeEnsemble {
 public:
  struct Node {
    std::int32_t feature = -1;  // -1: a leaf
    float value = 0;            // of a leaf: what it adds; else the threshold
    std::int32_t left = 0;      // where the feature is below the threshold
    std::int32_t right = 0;
  };

  static constexpr std::size_t trees_most = 4'096;
  static constexpr std::size_t nodes_most = 4'000'000;

  TreeEnsemble() = default;  // answers 0
  // `roots`: of each tree, by number of the node. Children come behind their parents. Use it only
  // if valid().
  TreeEnsemble(float base, std::vector<std::int32_t> roots, std::vector<Node> nodes)
      : base_(base), roots_(std::move(roots)), nodes_(std::move(nodes)) {}

  // Whether rows of `width` features can be asked about: every walk ends, inside, at a finite leaf.
  bool valid(std::size_t width) const;

  // `row` must be as wide as was checked; its values finite.
  float answer(std::span<const float> row) const;

  float base() const { return base_; }
  const std::vector<std::int32_t>& roots() const { return roots_; }
  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  float base_ = 0;
  std::vector<std::int32_t> roots_;
  std::vector<Node> nodes_;
};

}  // namespace hyades
