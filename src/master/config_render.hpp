// The configuration in effect, the way its file would say it.
#pragma once

#include <string>

#include "core/config.hpp"

namespace hyades {

// TOML with every key, defaults included; parse_config reads it back to an equal value.
std::string render_config(const ClusterConfig& config);

}  // namespace hyades
