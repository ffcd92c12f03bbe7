#include "step/output_pump.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

namespace hyades {
namespace {

constexpr std::size_t piece_bytes = 16 * 1024;

}  // namespace

OutputPump::~OutputPump() {
  for (auto& [name, pipe] : pipes_) loop_.remove(pipe.get());
}

void OutputPump::add(int task, int stream, UniqueFd pipe) {
  const Name name{task, stream};
  pipes_[name] = std::move(pipe);
  watch(name);
}

void OutputPump::watch(const Name& name) {
  loop_.add(pipes_.at(name).get(), EPOLLIN, [this, name](std::uint32_t) { read(name); });
}

void OutputPump::read(const Name& name) {
  const int pipe = pipes_.at(name).get();
  if (!handlers_.has_room()) {
    loop_.remove(pipe);
    waiting_.push_back(name);
    return;
  }
  std::string bytes(piece_bytes, '\0');
  const ssize_t size = ::read(pipe, bytes.data(), bytes.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size > 0) {
    bytes.resize(static_cast<std::size_t>(size));
    bytes_read_ += bytes.size();
    handlers_.output(name.first, name.second, std::move(bytes));
    return;
  }
  loop_.remove(pipe);
  pipes_.erase(name);
  handlers_.ended(name.first, name.second);
}

void OutputPump::resume() {
  std::vector<Name> names;
  names.swap(waiting_);
  for (const Name& name : names) {
    if (pipes_.count(name) > 0) watch(name);
  }
}

void OutputPump::close(int stream) {
  for (auto pipe = pipes_.begin(); pipe != pipes_.end();) {
    if (pipe->first.second != stream) {
      ++pipe;
      continue;
    }
    const Name name = pipe->first;
    loop_.remove(pipe->second.get());
    pipe = pipes_.erase(pipe);
    handlers_.ended(name.first, name.second);
  }
}

}  // namespace hyades
