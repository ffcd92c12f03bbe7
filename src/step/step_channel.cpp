#include "step/step_channel.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace hyades {

StepChannel::StepChannel(EventLoop& loop, UniqueFd socket, Handlers handlers)
    : loop_(loop), socket_(std::move(socket)), handlers_(std::move(handlers)) {
  parked_ = true;
  watch();
}

void StepChannel::send(const StepMessage& message) {
  if (!is_open()) return;
  out_ += encode(message);
  was_full_ = was_full_ || is_full();
  watch();
}

void StepChannel::hold(bool held) {
  if (held_ == held) return;
  held_ = held;
  if (!is_open()) return;
  // What was read already waits for its turn of the loop like anything else.
  if (!held && reader_.buffered() > 0) {
    wake_ = loop_.after(std::chrono::milliseconds(0), [this] { deliver(); });
  }
  watch();
}

void StepChannel::close() {
  if (!is_open()) return;
  loop_.cancel(wake_);
  loop_.remove(socket_.get());
  socket_.reset();
  out_.clear();
  sent_ = 0;
}

void StepChannel::watch() {
  const std::uint32_t wanted = (held_ ? 0u : EPOLLIN) | (pending() > 0 ? EPOLLOUT : 0u);
  if (parked_ && !held_) {
    parked_ = false;
    watched_ = wanted;
    loop_.add(socket_.get(), wanted, [this](std::uint32_t events) { on_event(events); });
  }
  if (parked_ || wanted == watched_) return;
  watched_ = wanted;
  loop_.change(socket_.get(), wanted);
}

void StepChannel::on_event(std::uint32_t events) {
  if ((events & (EPOLLOUT | EPOLLERR)) != 0) flush();
  if (is_open() && !held_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
  if (is_open() && held_ && (events & (EPOLLHUP | EPOLLERR)) != 0) {
    parked_ = true;  // epoll tells of that whether one asks or not, again and again
    loop_.remove(socket_.get());
  }
}

void StepChannel::receive() {
  char bytes[16384];
  const ssize_t size = recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
  if (size > 0) {
    reader_.feed({bytes, static_cast<std::size_t>(size)});
    deliver();
    return;
  }
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  fail(size < 0 ? std::strerror(errno) : "");
}

void StepChannel::deliver() {
  int type = 0;
  std::string body;
  while (is_open() && !held_) {
    const auto found = reader_.next(type, body);
    if (found == StepFrameReader::Found::NeedsMore) return;
    StepMessage message;
    if (found == StepFrameReader::Found::Broken) return fail(reader_.error());
    if (!decode_step_message(type, body, message)) return fail("a message is malformed");
    handlers_.received(std::move(message));
  }
}

void StepChannel::flush() {
  while (pending() > 0) {
    const ssize_t size =
        ::send(socket_.get(), out_.data() + sent_, pending(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return fail(std::strerror(errno));
    sent_ += static_cast<std::size_t>(size);
  }
  if (pending() == 0 || sent_ > pending_max) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  watch();
  if (was_full_ && !is_full()) {
    was_full_ = false;
    handlers_.drained();
  }
}

void StepChannel::fail(const std::string& why) {
  close();
  handlers_.closed(why);
}

}  // namespace hyades
