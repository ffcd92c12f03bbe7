// Reads our standard input for the tasks that get it, never further ahead than they take it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "step/event_loop.hpp"

namespace hyades {

class InputReader {
 public:
  struct Handlers {
    std::function<void(std::size_t target, const std::string& bytes)> bytes;
    std::function<void(std::size_t target)> end;
  };

  InputReader(EventLoop& loop, int fd, Handlers handlers);
  ~InputReader();
  InputReader(const InputReader&) = delete;
  InputReader& operator=(const InputReader&) = delete;

  // From now on this target gets what is read. All are added before the first turn of the loop.
  void add(std::size_t target);
  // It has done with so many bytes.
  void taken(std::size_t target, std::uint64_t bytes);
  // It wants no more. Without any target nothing is read.
  void remove(std::size_t target);

 private:
  struct Target {
    std::size_t name = 0;
    std::uint64_t waiting = 0;  // sent and not taken yet
  };

  bool may_read() const;
  void watch();
  void read_some();
  void stop();

  EventLoop& loop_;
  int fd_;
  Handlers handlers_;
  std::vector<Target> targets_;
  bool watched_ = false;
  bool always_ready_ = false;  // a plain file
  bool ended_ = false;
  EventLoop::Timer timer_{};
};

}  // namespace hyades
