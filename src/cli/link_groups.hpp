// Which nodes are near each other, by what the links between them were measured to do: what `group`
// of [[node]] and `far` of [placement] should be.
#pragma once

#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "cli/terminal.hpp"

namespace hyades {

// Between two nodes, both ways taken together.
struct MeasuredLink {
  std::string a, b;
  double us = 0;    // until a message of 8 bytes has arrived
  double mb_s = 0;  // 10^6 bytes a second, of messages of 1 MiB

  // Microseconds that a message of 1 MiB takes. (The reciprocal of the rate has the latency in it.)
  double transfer_us() const { return (1 << 20) / mb_s; }
};

// Measurements repeat to some tens of percent: only a gap this wide between two links that follow
// each other in time parts near ones from far ones.
inline constexpr double kLinkGap = 1.5;

struct LinkGroups {
  // Nodes that are near each other, in the order in which the links name them; none: all links are
  // alike, or near ones chain nodes together that are far from each other.
  std::vector<std::vector<std::string>> groups;
  double far = 1;   // how many times as long a message takes between groups, by medians
  std::string why;  // there are none; "" otherwise
};

// Single-link clusters below the widest gap. `links`: of all pairs.
LinkGroups find_groups(const std::vector<MeasuredLink>& links);

// All links, and what to write into the configuration.
std::string links_page(const std::vector<MeasuredLink>& links, const Terminal& terminal);
Json links_json(const std::vector<MeasuredLink>& links);

}  // namespace hyades
