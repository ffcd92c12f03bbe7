#include "worker/shepherd_timers.hpp"

#include <sys/timerfd.h>

#include <algorithm>
#include <ctime>

namespace hyades {
namespace {

// A warning that is due at once still leaves the script a moment to set its traps.
constexpr BootMs warning_after_ms = 1000;

}  // namespace

bool ShepherdTimers::open() {
  clock_.reset(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  return static_cast<bool>(clock_);
}

void ShepherdTimers::arm() {
  BootMs next = 0;
  for (const BootMs due : {warning, limit, kill, lease, look, reports}) {
    if (due != 0 && (next == 0 || due < next)) next = due;
  }
  itimerspec when = {};
  when.it_value.tv_sec = next / 1000;
  when.it_value.tv_nsec = next % 1000 * 1'000'000;
  timerfd_settime(clock_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

// A companion has no end of its own: the batch part's is followed by a stop.
void ShepherdTimers::start(const LaunchRecord& launch, BootMs now) {
  if (launch.counters_every_ms > 0) look = now + launch.counters_every_ms;
  if (launch.companion || launch.time_limit_s == 0) return;
  limit = now + 1000ll * launch.time_limit_s;
  if (launch.warning.signal == 0) return;
  const BootMs due = limit - 1000ll * launch.warning.seconds_before_end;
  warning = std::max(due, now + warning_after_ms);
}

void ShepherdTimers::stop(BootMs end_ms) {
  warning = limit = 0;
  kill = end_ms;
}

bool take_due(BootMs& timer, BootMs now) {
  if (timer == 0 || now < timer) return false;
  timer = 0;
  return true;
}

}  // namespace hyades
