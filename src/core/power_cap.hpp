// Less power for a node's processors than they could draw, where its jobs agree
// (docs/placement.md).
#pragma once

#include <string>
#include <vector>

#include "core/id_set.hpp"
#include "core/time.hpp"

namespace hyades {

// No cap may be lower, whatever is configured.
inline constexpr int kPowerPercentLeast = 20;

// Of the processors that a launch has its cores in.
struct PowerCap {
  int percent = 100;  // of what they may draw otherwise
  std::string why;    // as it is, for people; "": it was never otherwise
  // What keeps a launch that agreed to less from having less now, for people. Not of the past: no
  // event has it.
  std::string obstacle;

  friend bool operator==(const PowerCap&, const PowerCap&) = default;
};

// Of a job, as the master knows it.
struct NodeCap {
  std::string node;
  PowerCap cap;
  WallMs since_ms = 0;

  friend bool operator==(const NodeCap&, const NodeCap&) = default;
};

// Cores that are capped together: a package.
struct PowerZone {
  int number = 0;  // the operating system's
  IdSet cores;     // of the node; all that the package feeds
};

}  // namespace hyades
