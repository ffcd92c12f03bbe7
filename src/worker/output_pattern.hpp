// The patterns in the names of output files: "%x-%4j.out" and so on. Pure functions; any thread.
#pragma once

#include <string>

#include "core/messages.hpp"

namespace hyades {

// Where output goes when the user does not say.
inline constexpr const char* default_output_pattern = "hyades-%j.out";

// Replaces
//   %j %A  job id           %x  job name      %u  user          %N  node       %n  0
//   %a     0 (no array)     %t  0             %s  batch         %b  job id modulo 10
//   %J     job id           %r  restarts      %%  %
// A number between % and a letter (at most 10) is the width to which digits are padded with zeros.
// '/' in a job's or user's name becomes '_', so that a name cannot lead elsewhere. Anything else
// stays as it is. Paths are not touched otherwise: where they lead is decided by what the user may
// do.
std::string expand_output_pattern(const std::string& pattern, const LaunchOrder& order);

}  // namespace hyades
