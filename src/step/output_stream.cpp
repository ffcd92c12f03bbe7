#include "step/output_stream.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace hyades {

OutputStream::OutputStream(EventLoop& loop, int fd, std::function<void()> changed)
    : loop_(loop), fd_(fd), changed_(std::move(changed)) {}

OutputStream::~OutputStream() {
  if (watched_) loop_.remove(fd_);
}

void OutputStream::write(std::string_view bytes) {
  if (error_ != 0 || bytes.empty()) return;
  waiting_.append(bytes);
  if (watched_) return;
  // A plain file takes everything at once.
  watched_ = loop_.add(fd_, EPOLLOUT, [this](std::uint32_t) { push(); });
  while (!watched_ && error_ == 0 && !is_empty()) put_some();
}

// False when nothing was written.
bool OutputStream::put_some() {
  // What poll calls writable takes so many bytes without making us wait.
  const ssize_t size =
      ::write(fd_, waiting_.data() + written_, std::min<std::size_t>(waiting(), PIPE_BUF));
  if (size < 0 && errno != EINTR && errno != EAGAIN) fail(errno);
  if (size <= 0) return false;
  written_ += static_cast<std::size_t>(size);
  if (is_empty() || written_ >= waiting_max) {
    waiting_.erase(0, written_);
    written_ = 0;
  }
  return true;
}

void OutputStream::push() {
  const bool was_full = is_full();
  pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
  while (!is_empty() && error_ == 0 && put_some()) {
    if (poll(&ready, 1, 0) != 1) break;
  }
  if (error_ == 0 && is_empty()) {
    loop_.remove(fd_);
    watched_ = false;
  }
  if (was_full && !is_full() && error_ == 0) changed_();
}

void OutputStream::fail(int error) {
  error_ = error;
  waiting_.clear();
  written_ = 0;
  if (watched_) loop_.remove(fd_);
  watched_ = false;
  changed_();
}

}  // namespace hyades
