// Profiles of nodes as JSON: what `hyades-profile --json` prints and `hctl node profile --from`
// reads. docs/profiles.md describes the format. Pure functions; any thread.
//
//   {"source": "...", "measured_ms": 0, "figures": {"gemm_gflops": 50.1, ...}}    one profile
//   {"nodes": {"n[1-4]": {profile}, "fat1": {profile}}}                           of named nodes
#pragma once

#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "core/node_profile.hpp"

namespace hyades {

struct NamedProfile {
  std::string node;
  NodeProfile profile;
};

struct ProfileFile {
  std::vector<NamedProfile> profiles;  // in the order of the file, each node once
  std::vector<std::string> errors;     // "FILE: figures.gemm_gflops: ..."; then `profiles` is empty
  std::vector<std::string> warnings;   // of figures that look like misspelt ones
};

// `nodes`: whom the profiles are for. Of a file of named nodes only these are taken, or all when
// `nodes` is empty; a file with one profile gives it to each of them. A profile without a source
// has the file's name for one.
ProfileFile parse_profiles(const std::string& text, const std::string& file,
                           const std::vector<std::string>& nodes);

Json profile_json(const NodeProfile& profile);

// Rounded to what a measurement is worth: "105.2", "0.0123", "2397".
std::string figure_text(double value);

// How long to measure with each kernel: above 0, at most a minute. False when it is not.
bool parse_kernel_seconds(const std::string& text, double& seconds);

// "Gflop/s", "GB/s", ...; "" for those of classes of work, which have none in common.
std::string figure_unit(const std::string& figure);

// The figures that hyades-profile measures, in the order in which they are shown.
const std::vector<std::string>& measured_figures();

}  // namespace hyades
