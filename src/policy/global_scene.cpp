#include "policy/global_scene.hpp"

namespace hyades {

void GlobalScene::read_jobs(const Forecasts& forecast, const Ends& expected_end_ms) {
  waiting.reserve(queue->waiting->size());
  queue->waiting->each([&](const WaitingJob& each) {
    waiting.push_back(
        {each.job->submitted_ms, each.limit_ms, each.cores, each.priority, forecast(*each.job)});
  });
  running.reserve(cluster->running->size());
  shares.reserve(cluster->running->size());
  cluster->running->each([&](const RunningJob& each) {
    std::int64_t cores = 0;
    for (const NodeShare& share : each.job->placement.shares) {
      const NodeIndex node = cluster->cluster->index(share);
      if (node < 0 || !queue->usable[static_cast<std::size_t>(node)]) continue;
      const auto its = static_cast<std::int64_t>(share.cores.size());
      if (its == 0) continue;
      shares.push_back({node, static_cast<std::uint32_t>(running.size()), its});
      cores += its;
    }
    if (cores == 0) return;
    running.push_back({each.id, expected_end_ms(each), each.expected_end_ms, cores});
  });
}

}  // namespace hyades
