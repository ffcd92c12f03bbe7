// `hctl node profile`: what nodes can do, measured or from a file (docs/profiles.md).
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace hyades {

// Its options: --from, --show, --forget, --no-wait, --seconds.
void add_profile_options(Command& command);
// Throws Failure where one of them is given for another command.
void refuse_profile_options(const Command& command);

// `words`: what follows "node profile". Gives the exit code; throws Failure.
int run_profile_command(const Command& command, const std::vector<std::string>& words);

}  // namespace hyades
