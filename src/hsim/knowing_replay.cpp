#include "hsim/knowing_replay.hpp"

#include "policy/backfill_policy.hpp"

namespace hyades {

Replay replay_knowing(const Workload& workload, std::span<const TraceJob> earlier,
                      std::optional<WallMs> origin_ms, const ReplayOptions& options,
                      ModelShelf* shelf, Adviser* adviser) {
  InlineTrainer trainer(shelf);
  BackfillPolicy policy(
      origin_ms, &trainer, [&] { return past_before(earlier, workload, options); }, adviser);
  return replay(workload, policy, options);
}

}  // namespace hyades
