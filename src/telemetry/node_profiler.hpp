// Measures what a node can do: core/node_profile.hpp has the figures, docs/profiles.md says how.
#pragma once

#include <functional>
#include <string>

#include "core/node_profile.hpp"

namespace hyades {

// What measured a profile. Another number as soon as a kernel measures anything else: profiles of
// different numbers are not to be compared.
inline constexpr const char* kProfileSource = "hyades-profile 1";

struct ProfilerOptions {
  double seconds = 1;     // for each kernel, about
  std::string directory;  // for the file of the disk's kernel
  // Called before each kernel, with what it is for people; may be empty.
  std::function<void(const std::string&)> progress;
};

// Runs the kernels one after the other, on all processors that this process may use, and should be
// alone on the node with them. The watts are in it only where a meter can be read (RAPL: root only;
// hwmon), never from the power model. Throws as the kernels do.
NodeProfile measure_node(const ProfilerOptions& options);

}  // namespace hyades
