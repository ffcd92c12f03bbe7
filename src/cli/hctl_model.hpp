// `hctl model`: the life of a model of the learned policy.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace hyades {

// `words`: what follows "model". Gives the exit code; throws Failure.
int run_model_command(const Command& command, const std::vector<std::string>& words);

}  // namespace hyades
