// Reads the configuration file (schema/config.md). Either the whole file is right, or none of it is
// used and every mistake is listed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config.hpp"

namespace hyades {

struct ConfigResult {
  std::optional<ClusterConfig> config;  // nothing when there are errors
  // "file:line: sentence", in the order of the file; one printable line each.
  std::vector<std::string> errors;
};

// Reads `path`. A missing file is an error when `must_exist`, else it stands for the defaults. A
// file that everybody may write to, or that belongs to neither us nor root, is refused. Looks user
// names up in the system's user database.
ConfigResult load_config(const std::string& path, bool must_exist);

// The same for a text that is at hand; `path` is for messages only.
ConfigResult parse_config(const std::string& text, const std::string& path);

}  // namespace hyades
