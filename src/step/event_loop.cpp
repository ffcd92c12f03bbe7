#include "step/event_loop.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace hyades {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// A descriptor's number is used again soon: the generation tells old events from new ones.
std::uint64_t tag(int fd, std::uint32_t generation) {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

}  // namespace

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) fail("epoll_create1");
}

bool EventLoop::add(int fd, std::uint32_t events, Handler handler) {
  epoll_event event{.events = events, .data = {.u64 = tag(fd, ++generation_)}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    if (errno == EPERM) return false;
    fail("epoll_ctl");
  }
  watches_[fd] = {generation_, std::make_shared<Handler>(std::move(handler))};
  return true;
}

void EventLoop::change(int fd, std::uint32_t events) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  epoll_event event{.events = events, .data = {.u64 = tag(fd, found->second.generation)}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) fail("epoll_ctl");
}

void EventLoop::remove(int fd) {
  if (watches_.erase(fd) > 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::Timer EventLoop::after(std::chrono::milliseconds time, std::function<void()> action) {
  const Timer timer{Clock::now() + time, ++timers_made_};
  timers_.emplace(timer, std::move(action));
  return timer;
}

void EventLoop::cancel(const Timer& timer) { timers_.erase(timer); }

int EventLoop::wait_ms(int most_ms) const {
  if (timers_.empty()) return most_ms;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.first - Clock::now());
  const auto until_timer = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  return most_ms < 0 ? until_timer : std::min(most_ms, until_timer);
}

void EventLoop::run_timers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const auto action = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    action();
  }
}

void EventLoop::turn(int most_ms) {
  epoll_event events[64];
  const int count = epoll_wait(epoll_.get(), events, 64, wait_ms(most_ms));
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  for (int i = 0; i < count; ++i) {
    const std::uint64_t mark = events[i].data.u64;
    const auto found = watches_.find(static_cast<int>(mark & 0xffffffff));
    if (found == watches_.end() || found->second.generation != mark >> 32) continue;
    const auto handler = found->second.handler;  // it may remove itself
    (*handler)(events[i].events);
  }
  run_timers();
}

}  // namespace hyades
