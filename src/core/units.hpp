// Amounts as people write them: times the way sbatch -t takes them, memory the way --mem does.
// Shared by the configuration file and the commands. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/resources.hpp"

namespace hyades {

// Reads "m", "m:s", "h:m:s", "d-h", "d-h:m" or "d-h:m:s" (plain decimal numbers, no blanks, minutes
// and seconds may exceed 59). False, and `seconds` unchanged, for anything else and for more than
// an int holds.
bool parse_duration_s(const std::string& text, int& seconds);

// Reads "512", "512M", "4g", "4GB", "1T", "300K": whole numbers in MiB unless a unit is given; K is
// rounded up. False, and `mib` unchanged, for anything else and for what does not fit.
bool parse_memory_mib(const std::string& text, MiB& mib);

// "M:SS", "H:MM:SS" or "D-HH:MM:SS", as squeue prints it. Negative times print as "0:00".
std::string format_duration(std::int64_t seconds);

// The largest unit that needs no fraction: "512M", "4G", "2T"; parse_memory_mib reads it back.
std::string format_memory(MiB mib);

}  // namespace hyades
