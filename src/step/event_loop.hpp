// One thread's epoll: who waits for which descriptor or moment. Handlers may add and remove any
// descriptor, their own included; none may destroy what it was called on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "wire/unique_fd.hpp"

namespace hyades {

class EventLoop {
 public:
  using Handler = std::function<void(std::uint32_t events)>;
  using Clock = std::chrono::steady_clock;
  using Timer = std::pair<Clock::time_point, std::uint64_t>;

  // Throws std::system_error.
  EventLoop();

  // `events` as epoll's, level-triggered. False for descriptors that are always ready (plain
  // files). Throws std::system_error for other errors.
  bool add(int fd, std::uint32_t events, Handler handler);
  void change(int fd, std::uint32_t events);
  // Before the descriptor is closed. Not having it is fine.
  void remove(int fd);

  Timer after(std::chrono::milliseconds time, std::function<void()> action);
  void cancel(const Timer& timer);  // fine when it is over

  // Waits until something happens, at most `most_ms` (-1: for ever), and calls its handlers.
  void turn(int most_ms = -1);

 private:
  struct Watch {
    std::uint32_t generation = 0;
    std::shared_ptr<Handler> handler;
  };

  int wait_ms(int most_ms) const;
  void run_timers();

  UniqueFd epoll_;
  std::uint32_t generation_ = 0;
  std::map<int, Watch> watches_;
  std::uint64_t timers_made_ = 0;
  std::map<Timer, std::function<void()>> timers_;
};

}  // namespace hyades
