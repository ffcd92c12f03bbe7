// What the global policy sees of a queue and its nodes: a fixed number of finite figures, shares
// and logarithms, so that four nodes and ten thousand look alike. schema/global_state.md lists
// them.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "policy/global_scene.hpp"

namespace hyades {

constexpr std::size_t global_figures_count = 60;
constexpr std::size_t global_frames_count = 8;
constexpr std::size_t occupancy_bins = 64;
constexpr std::size_t occupancy_channels = 3;

using GlobalFigures = std::array<float, global_figures_count>;
// By channel: how much of the bin is taken, how long that is expected to last, how long at most.
using Occupancy = std::array<std::array<float, occupancy_bins>, occupancy_channels>;

struct GlobalState {
  std::array<GlobalFigures, global_frames_count> frames{};  // oldest first; the last one is now's
  Occupancy occupancy{};

  friend bool operator==(const GlobalState&, const GlobalState&) = default;
};

GlobalFigures global_figures(const GlobalScene& scene);

// The queue's nodes in their order, as if they were one row of cores; within a node, jobs by their
// expected ends, free cores last. Each bin is as many cores as the others.
Occupancy occupancy(const GlobalScene& scene);

// In the order of GlobalFigures.
const std::vector<std::string>& global_figure_names();

}  // namespace hyades
