// Identities that travel through the whole system.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace hyades {

// Assigned once by the master, in order of submission, and never reused. 0 means "no job".
using JobId = std::uint64_t;

// How often a job was handed to nodes: 1 for its first placement. 0 means "never placed".
using Attempt = std::uint32_t;

// Counts the masters that ever owned a state directory. Nodes refuse orders of a lower epoch than
// the highest they have seen, so a master that was suspended and wakes up late can do no harm.
using Epoch = std::uint64_t;

// Cluster-wide number of a launch order, strictly increasing over the life of a state directory.
// A node remembers the highest one it has seen and refuses anything at or below it that it has no
// record of: a late or duplicated order can never start a job twice.
using LaunchSequence = std::uint64_t;

// Names one attempt of one job on one node. Every message to or from a node carries it.
struct LaunchKey {
  JobId job = 0;
  Attempt attempt = 0;
  LaunchSequence sequence = 0;

  friend auto operator<=>(const LaunchKey&, const LaunchKey&) = default;
};

// "42.1.77": job, attempt, sequence; the name of the launch's record in a node's spool.
std::string to_string(const LaunchKey& key);

// The reverse of to_string; false (and `key` unchanged) when `text` is not exactly that form.
bool parse_launch_key(const std::string& text, LaunchKey& key);

}  // namespace hyades
