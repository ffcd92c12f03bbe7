// What a node was measured to do (`hctl node profile`), or what a file says that it does.
#pragma once

#include <map>
#include <string>

#include "core/time.hpp"

namespace hyades {

// Figures by name; all are finite and above 0, and more is better for all but chase_ns and the
// watts. Those that hyades-profile measures, with nothing else on the node:
//   gemm_gflops     matrix multiplication on all cores together, 10^9 operations a second
//   stream_gbs      STREAM triad on all cores together, 10^9 bytes a second
//   stream_one_gbs  the same on one core
//   chase_ns        one dependent load from memory, nanoseconds
//   disk_mbs        a file written and synced, 10^6 bytes a second
//   idle_w, busy_w  watts of the node, doing nothing and on all cores; only where a meter is
// Any other name is that of a work class: how fast one core, or one device, of this node does that
// work, in any unit that is the same for all nodes.
struct NodeProfile {
  WallMs measured_ms = 0;
  std::string source;  // "hyades-profile 1", or a file's name
  std::map<std::string, double> figures;

  // 0: not known.
  double figure(const std::string& name) const {
    const auto found = figures.find(name);
    return found == figures.end() ? 0 : found->second;
  }

  friend bool operator==(const NodeProfile&, const NodeProfile&) = default;
};

// What a figure may be; beyond that another unit says more.
inline constexpr double kProfileFigureLeast = 1e-9, kProfileFigureMost = 1e18;

// "" when all is well, else a sentence that names the figure and what is wrong with it.
std::string check_profile(const NodeProfile& profile);

}  // namespace hyades
