#include "step/input_feeder.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "step/step_message.hpp"

namespace hyades {

InputFeeder::InputFeeder(EventLoop& loop, std::function<void(std::uint64_t bytes)> taken)
    : loop_(loop), taken_(std::move(taken)) {}

InputFeeder::~InputFeeder() {
  for (Target& target : targets_) finish(target);
}

void InputFeeder::add(UniqueFd pipe) { targets_.push_back({std::move(pipe), 0, false}); }

bool InputFeeder::feed(std::string_view bytes) {
  if (bytes_.size() + bytes.size() > step_input_window) return false;
  bytes_.append(bytes);
  for (Target& target : targets_) push(target);
  settle();
  return true;
}

void InputFeeder::end() {
  ended_ = true;
  for (Target& target : targets_) push(target);
  settle();
}

void InputFeeder::close() {
  for (Target& target : targets_) finish(target);
  settle();
}

void InputFeeder::push(Target& target) {
  while (target.pipe && target.done < bytes_.size()) {
    const ssize_t size =
        write(target.pipe.get(), bytes_.data() + target.done, bytes_.size() - target.done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return finish(target);  // it has closed its input
    target.done += static_cast<std::size_t>(size);
  }
  if (!target.pipe) return;
  const bool waits = target.done < bytes_.size();
  if (!waits && ended_) return finish(target);
  if (waits == target.watched) return;
  target.watched = waits;
  if (!waits) return loop_.remove(target.pipe.get());
  // The vector does not grow any more once input flows.
  loop_.add(target.pipe.get(), EPOLLOUT, [this, &target](std::uint32_t) {
    push(target);
    settle();
  });
}

void InputFeeder::finish(Target& target) {
  if (!target.pipe) return;
  if (target.watched) loop_.remove(target.pipe.get());
  target.pipe.reset();
}

// Forgets what every target has.
void InputFeeder::settle() {
  std::size_t done = bytes_.size();
  for (const Target& target : targets_) {
    if (target.pipe) done = std::min(done, target.done);
  }
  if (done == 0) return;
  bytes_.erase(0, done);
  for (Target& target : targets_) target.done -= std::min(done, target.done);
  taken_(done);
}

}  // namespace hyades
