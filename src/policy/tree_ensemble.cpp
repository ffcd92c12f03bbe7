#include "policy/tree_ensemble.hpp"

#include <algorithm>
#include <cmath>

namespace hyades {

bool TreeEnsemble::valid(std::size_t width) const {
  if (!std::isfinite(base_) || roots_.size() > trees_most || nodes_.size() > nodes_most) {
    return false;
  }
  const auto count = static_cast<std::int32_t>(nodes_.size());
  const auto inside = [&](std::int32_t node) { return node >= 0 && node < count; };
  for (std::int32_t i = 0; i < count; ++i) {
    const Node& node = nodes_[static_cast<std::size_t>(i)];
    if (!std::isfinite(node.value)) return false;
    if (node.feature < 0) continue;
    if (static_cast<std::size_t>(node.feature) >= width) return false;
    if (!inside(node.left) || !inside(node.right) || node.left <= i || node.right <= i) {
      return false;
    }
  }
  return std::all_of(roots_.begin(), roots_.end(), inside);
}

float TreeEnsemble::answer(std::span<const float> row) const {
  float sum = base_;
  for (const std::int32_t root : roots_) {
    const Node* node = &nodes_[static_cast<std::size_t>(root)];
    while (node->feature >= 0) {
      const bool goes_left = row[static_cast<std::size_t>(node->feature)] < node->value;
      node = &nodes_[static_cast<std::size_t>(goes_left ? node->left : node->right)];
    }
    sum += node->value;
  }
  return sum;
}

}  // namespace hyades
