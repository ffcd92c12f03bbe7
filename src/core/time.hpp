// Two times, because they answer different questions.
#pragma once

#include <cstdint>

namespace hyades {

// What people read and what is stored. May jump when an admin sets the clock.
using WallMs = std::int64_t;  // milliseconds since 1970-01-01T00:00Z

// What timers use. Never jumps and goes on while the machine sleeps (CLOCK_BOOTTIME); has no
// meaning on another host or after a reboot, so it is never stored.
using BootMs = std::int64_t;

// The core never reads a clock: whoever drives it says what time it is.
struct Now {
  WallMs wall_ms = 0;
  BootMs boot_ms = 0;
};

}  // namespace hyades
