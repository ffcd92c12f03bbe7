#include "step/input_reader.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "step/step_message.hpp"

namespace hyades {
namespace {

constexpr std::size_t piece_bytes = 16 * 1024;

}  // namespace

InputReader::InputReader(EventLoop& loop, int fd, Handlers handlers)
    : loop_(loop), fd_(fd), handlers_(std::move(handlers)) {}

InputReader::~InputReader() { stop(); }

void InputReader::add(std::size_t target) {
  targets_.push_back({target, 0});
  watch();
}

void InputReader::taken(std::size_t target, std::uint64_t bytes) {
  for (Target& one : targets_) {
    if (one.name == target) one.waiting -= std::min(one.waiting, bytes);
  }
  watch();
}

void InputReader::remove(std::size_t target) {
  std::erase_if(targets_, [&](const Target& one) { return one.name == target; });
  watch();
}

bool InputReader::may_read() const {
  return !ended_ && !targets_.empty() &&
         std::all_of(targets_.begin(), targets_.end(), [](const Target& target) {
           return target.waiting + piece_bytes <= step_input_window;
         });
}

void InputReader::stop() {
  if (watched_) loop_.remove(fd_);
  watched_ = false;
  loop_.cancel(timer_);
}

void InputReader::watch() {
  if (!may_read()) return stop();
  if (watched_) return;
  if (!always_ready_) {
    watched_ = loop_.add(fd_, EPOLLIN, [this](std::uint32_t) { read_some(); });
    always_ready_ = !watched_;
  }
  if (!always_ready_) return;
  loop_.cancel(timer_);
  timer_ = loop_.after(std::chrono::milliseconds(0), [this] { read_some(); });
}

void InputReader::read_some() {
  std::string bytes(piece_bytes, '\0');
  const ssize_t size = read(fd_, bytes.data(), bytes.size());
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return watch();
  if (size > 0) {
    bytes.resize(static_cast<std::size_t>(size));
    for (Target& target : targets_) {
      target.waiting += bytes.size();
      handlers_.bytes(target.name, bytes);
    }
    return watch();
  }
  ended_ = true;  // an error, too: there is nothing more to have
  stop();
  for (const Target& target : targets_) handlers_.end(target.name);
}

}  // namespace hyades
