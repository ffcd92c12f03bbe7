// How long a client waits for the master. Private to the client's side of the connection.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace hyades {

class ClientDeadline {
 public:
  explicit ClientDeadline(int timeout_ms)  // < 0: for ever
      : bounded_(timeout_ms >= 0), end_(Clock::now() + std::chrono::milliseconds(timeout_ms)) {}

  int left_ms() const {
    if (!bounded_) return -1;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::max<decltype(left)>(left, 0));
  }

  // Waits for the events; false when the time is over.
  bool wait(int fd, short events) const {
    pollfd entry{fd, events, 0};
    while (true) {
      const int left = left_ms();
      if (::poll(&entry, 1, left) > 0) return true;
      if (left == 0) return false;
    }
  }

  // The earlier one.
  ClientDeadline at_most(int timeout_ms) const {
    const int left = left_ms();
    return ClientDeadline(left < 0 ? timeout_ms : std::min(left, timeout_ms));
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool bounded_;
  Clock::time_point end_;
};

}  // namespace hyades
