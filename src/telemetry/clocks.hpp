// The clocks that measuring goes by.
#pragma once

#include <ctime>

#include "core/time.hpp"

namespace hyades {

inline std::int64_t clock_us(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
}

inline BootMs boot_clock_ms() { return clock_us(CLOCK_BOOTTIME) / 1000; }
// CPU time, of the calling thread and of the whole process.
inline std::int64_t thread_cpu_us() { return clock_us(CLOCK_THREAD_CPUTIME_ID); }
inline std::int64_t process_cpu_us() { return clock_us(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace hyades
