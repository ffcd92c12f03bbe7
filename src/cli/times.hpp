// Times for people and for programs.
#pragma once

#include <string>

#include "core/time.hpp"

namespace hyades {

WallMs wall_now_ms();

// "2030-01-31T08:00:00.250Z": for JSON. 0 and less: "".
std::string utc_time(WallMs at_ms);

// "2030-01-31T08:00:00" in local time: for tables. 0 and less: `missing`.
std::string local_time(WallMs at_ms, const std::string& missing = "N/A");

}  // namespace hyades
