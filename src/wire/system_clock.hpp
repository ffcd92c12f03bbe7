// The real clock behind the Clock port.
#pragma once

#include <ctime>

#include "core/ports.hpp"

namespace hyades {

class SystemClock final : public Clock {
 public:
  Now now() override { return {read(CLOCK_REALTIME), read(CLOCK_BOOTTIME)}; }

 private:
  static std::int64_t read(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
  }
};

}  // namespace hyades
