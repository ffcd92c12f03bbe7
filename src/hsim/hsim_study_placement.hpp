#pragma once

namespace hyades {

// Likewise of subcommands.hpp: `hsim study placement`.
int hsim_study_placement(int argc, char** argv);

}  // namespace hyades
