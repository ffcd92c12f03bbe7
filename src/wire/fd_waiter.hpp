// Sleeps until one of a few descriptors has something to read, or a time is over.
#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hyades {

class FdWaiter {
 public:
  FdWaiter() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
  ~FdWaiter() { ::close(epoll_); }
  FdWaiter(const FdWaiter&) = delete;
  FdWaiter& operator=(const FdWaiter&) = delete;

  // The descriptor must stay open while the waiter lives.
  void add(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
  }

  // True when a descriptor is readable; false after `timeout_ms` or a signal.
  bool wait(int timeout_ms) {
    epoll_event event;
    return epoll_wait(epoll_, &event, 1, timeout_ms) > 0;
  }

 private:
  int epoll_;
};

}  // namespace hyades
