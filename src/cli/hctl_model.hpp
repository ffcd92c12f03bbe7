// `hctl model`: the life of a model of the learned policy.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace hyades {

// `words`: what follows "model". Gives the exit code; throws Failure.
int run_model_command(const Command& command, const std::vector<std::string>& words);

// Why a configuration's model cannot be used on this host; the master may see other files. "": it
// can, or there is none.
std::string model_warning(const std::string& file);

}  // namespace hyades
