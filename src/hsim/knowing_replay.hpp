// Replays with all that a scheduler of the master learns on its way: models of run times are made
// while the replay's time stands still.
#pragma once

#include <optional>
#include <span>

#include "hsim/replay.hpp"
#include "policy/adviser.hpp"
#include "policy/boosting/inline_trainer.hpp"

namespace hyades {

// `earlier`: jobs that the log has before the workload; those that had ended are known from the
// beginning. `origin_ms`, `adviser`: see BackfillPolicy. `shelf`: of models for many replays;
// nullptr: none.
Replay replay_knowing(const Workload& workload, std::span<const TraceJob> earlier,
                      std::optional<WallMs> origin_ms, const ReplayOptions& options,
                      ModelShelf* shelf = nullptr, Adviser* adviser = nullptr);

}  // namespace hyades
