// Sizes that people ask for: rounded up, and written as hsub reads them. Pure functions; any
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/resources.hpp"

namespace hyades {

// At least 5 minutes; up to 5 minutes, from an hour on to 15, from 12 hours on to a whole hour. At
// most what hsub takes.
std::int64_t time_to_ask_s(double seconds);

// Up to 100 MiB, from 10 GiB on to a GiB.
MiB memory_to_ask_mib(double mib);

// "0:45:00", "1-06:00:00"
std::string time_option(std::int64_t seconds);

}  // namespace hyades
