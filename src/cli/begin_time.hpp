// Points in time as people write them for --begin, hacct -S and -E.
#pragma once

#include <string>

#include "core/time.hpp"

namespace hyades {

// Reads, in local time: "now", "now+1hour" (also seconds, minutes (without a unit: seconds), days,
// weeks), "today", "tomorrow", "midnight", "noon", "teatime", "16:00", "16:00:30", "4:00pm",
// "2030-01-31", "2030-01-31T08:00", "2030-01-31T08:00:00" (with "Z": UTC), "01/31/30", "013130".
// A time of day that is over today means tomorrow when `future`, else today. "" and `out` set, or a
// clause that says what is wrong.
std::string parse_point_in_time(const std::string& text, WallMs now_ms, bool future, WallMs& out);

}  // namespace hyades
