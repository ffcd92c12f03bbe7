// The clocks that shepherds and sweeps go by.
#pragma once

#include <ctime>

#include "core/time.hpp"

namespace hyades {

inline std::int64_t clock_ms(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

inline BootMs boot_now_ms() { return clock_ms(CLOCK_BOOTTIME); }
inline WallMs wall_now_ms() { return clock_ms(CLOCK_REALTIME); }

}  // namespace hyades
