// Waiting for a condition with a deadline, in place of sleeping and hoping.
#pragma once

#include <poll.h>

#include <chrono>

namespace hyades::test {

// Generous: tests share the machine. A condition that holds is seen within milliseconds.
constexpr int kPatience_ms = 60'000;

// False when `condition` did not hold in time.
template <typename Condition>
bool wait_until(Condition condition, int timeout_ms = kPatience_ms, int every_ms = 10) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return condition();
    poll(nullptr, 0, every_ms);
  }
  return true;
}

}  // namespace hyades::test
