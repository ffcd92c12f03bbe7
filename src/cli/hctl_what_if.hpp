// `hctl config check FILE --against=LOG|history`: who would wait longer or shorter under a
// configuration that is only tried.
#pragma once

#include <string>

#include "cli/command.hpp"
#include "core/config.hpp"

namespace hyades {

// Compares `config` (of the file `name`) with the one in effect, which the master is asked for, on
// a log or on the cluster's own history. Throws Failure.
void try_config(const Command& command, const std::string& name, const ClusterConfig& config,
                const std::string& against, const std::string& picture);

}  // namespace hyades
