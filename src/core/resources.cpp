#include "core/resources.hpp"

namespace hyades {

int Placement::cores() const {
  int total = 0;
  for (const NodeShare& share : shares) total += share.cores.size();
  return total;
}

std::string Placement::node_names() const {
  std::string names;
  for (const NodeShare& share : shares) {
    if (!names.empty()) names += ',';
    names += share.node;
  }
  return names;
}

}  // namespace hyades
