#include "worker/job_steps.hpp"

namespace hyades {

StepFile job_steps(const LaunchOrder& order) {
  StepFile file;
  file.key = order.key;
  file.step_key = order.step_key;
  for (std::size_t i = 0; i < order.placement.shares.size(); ++i) {
    const NodeShare& share = order.placement.shares[i];
    StepNode node{share.node, "", 0, share.tasks, static_cast<int>(share.cores.size())};
    if (i < order.peers.size()) {
      node.address = order.peers[i].address;
      node.port = i == 0 ? 0 : order.peers[i].port;
    }
    file.nodes.push_back(std::move(node));
  }
  return file;
}

}  // namespace hyades
