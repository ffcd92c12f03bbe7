// Our standard output or error, written without ever hanging in a write: it stays as it is, because
// others share it, so it is not made non-blocking.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "step/event_loop.hpp"

namespace hyades {

class OutputStream {
 public:
  // When so much waits to be written, is_full().
  static constexpr std::size_t waiting_max = 256u << 10;

  // `changed`: it is no longer full, or it has broken. `loop` must outlive it; `fd` is not owned.
  OutputStream(EventLoop& loop, int fd, std::function<void()> changed);
  ~OutputStream();
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  void write(std::string_view bytes);

  bool is_full() const { return waiting() >= waiting_max; }
  bool is_empty() const { return waiting() == 0; }
  // Nobody reads it any more (EPIPE), or it cannot be written; what is written to it is dropped.
  int error() const { return error_; }

 private:
  std::size_t waiting() const { return waiting_.size() - written_; }
  void push();
  bool put_some();
  void fail(int error);

  EventLoop& loop_;
  int fd_;
  std::function<void()> changed_;
  std::string waiting_;
  std::size_t written_ = 0;
  bool watched_ = false;
  int error_ = 0;
};

}  // namespace hyades
