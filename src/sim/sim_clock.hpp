// A clock that stands still until it is told otherwise.
#pragma once

#include "core/ports.hpp"

namespace hyades {

class SimClock : public Clock {
 public:
  // 2026-01-01T00:00Z; the boot clock starts elsewhere so that nobody can mix the two up unnoticed.
  static constexpr WallMs wall_start_ms = 1'767'225'600'000;
  static constexpr BootMs boot_start_ms = 1'000'000;

  Now now() override { return at(elapsed_ms_); }

  Now at(std::int64_t elapsed_ms) const {
    return {wall_start_ms + elapsed_ms + wall_offset_ms_, boot_start_ms + elapsed_ms - booted_ms_};
  }

  std::int64_t elapsed_ms() const { return elapsed_ms_; }
  void set_elapsed(std::int64_t elapsed_ms) { elapsed_ms_ = elapsed_ms; }
  void advance(std::int64_t by_ms) { elapsed_ms_ += by_ms; }

  // Timers' time begins anew, people's does not.
  void reboot() { booted_ms_ = elapsed_ms_; }

  // As when an admin sets the clock: people's time jumps, timers' time does not.
  void step_wall(std::int64_t by_ms) { wall_offset_ms_ += by_ms; }

 private:
  std::int64_t elapsed_ms_ = 0;
  std::int64_t booted_ms_ = 0;
  std::int64_t wall_offset_ms_ = 0;
};

}  // namespace hyades
