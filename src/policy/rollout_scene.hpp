// A queue and what runs on its nodes as few numbers: what is needed to play its near future
// (policy/rollout.hpp), here or in another process. Its nodes are one pool of cores; memory,
// devices, limits and dependencies are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "policy/global_scene.hpp"
#include "policy/plain_bytes.hpp"

namespace hyades {

// Times count from the moment of the scene.
struct SceneJob {
  WallMs submit_ms = 0;    // above 0: it is yet to come
  double run_s = 1;        // expected
  double inverse_s = 0.1;  // of 1 / max(run, 10 s), expected
  std::int32_t limit_s = 1;
  std::int32_t cores = 1;
  std::int32_t priority = 0;
  std::int32_t unused = 0;  // so that no byte is undefined

  friend bool operator==(const SceneJob&, const SceneJob&) = default;
};

// Jobs that run and are expected to end together.
struct SceneRunning {
  WallMs end_ms = 0;    // expected
  WallMs limit_ms = 0;  // when they will be stopped
  std::int64_t cores = 0;

  friend bool operator==(const SceneRunning&, const SceneRunning&) = default;
};

struct RolloutScene {
  static constexpr std::size_t waiting_most = 256;
  static constexpr std::size_t coming_most = 512;
  static constexpr std::size_t running_most = 256;
  static constexpr WallMs coming_within_ms = 12 * 3'600'000;

  std::int64_t cores = 0;    // of the queue's nodes
  WallMs busy_since_ms = 0;  // at most 0
  std::vector<SceneRunning> running;
  std::vector<SceneJob> jobs;  // by submission; those that are yet to come last

  friend bool operator==(const RolloutScene&, const RolloutScene&) = default;
};

// Of many jobs that wait, those that `index` puts first. Those to come are those that came in the
// same hours a day before, of which the last day's arrivals tell; none where it is not known yet.
RolloutScene rollout_scene(const GlobalScene& scene);

void put(std::string& out, const RolloutScene& scene);
// False: it is none; what it says is within the bounds of what can be played.
bool take(Taker& taker, RolloutScene& scene);

}  // namespace hyades
