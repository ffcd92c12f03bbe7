// The parts of one attempt, one for each of its nodes: what the nodes have said of them. Not
// stored; after a restart of the master the nodes report again.
#pragma once

#include <cstddef>
#include <vector>

#include "core/ids.hpp"
#include "core/messages.hpp"

namespace hyades {

struct Part {
  bool heard = false;     // the node has reported to this master, or there is proof of its death
  bool over = false;      // nothing of it runs, and nothing of it ever will
  bool by_proof = false;  // over by another's word: the node itself has not said so
  LaunchReport report;    // the last one
  StopReason told = StopReason::None;  // why it was told to stop last

  bool living() const { return heard && !over; }
  bool running() const { return living() && report.state == LaunchState::Running; }
};

struct Gang {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  LaunchKey key;
  std::vector<Part> parts;     // in the order of the placement's shares; the first has the script
  std::size_t culprit = none;  // the first part that was over without having been told to stop

  bool alone() const { return parts.size() == 1; }
  bool over() const;
  // Every part but the first runs: the script may be started.
  bool companions_run() const;
  // A companion is gone that the job cannot do without: while the attempt is still being started
  // that is any, later those that were lost. One whose own processes ended is no reason.
  bool broken(bool has_started) const;
  // The part that is to blame when an attempt came to nothing.
  std::size_t to_blame() const;
};

}  // namespace hyades
