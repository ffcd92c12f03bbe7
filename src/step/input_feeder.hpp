// Brings a step's standard input to those of a node's tasks that get it, each at its own pace, and
// says how much of it is done with. Bounded by step_input_window.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "step/event_loop.hpp"

namespace hyades {

class InputFeeder {
 public:
  // `taken` is called when all targets have got so many more bytes, or do not want them.
  InputFeeder(EventLoop& loop, std::function<void(std::uint64_t bytes)> taken);
  ~InputFeeder();
  InputFeeder(const InputFeeder&) = delete;
  InputFeeder& operator=(const InputFeeder&) = delete;

  // The non-blocking end of a task's pipe.
  void add(UniqueFd pipe);

  // False when that is more than the window allows.
  bool feed(std::string_view bytes);
  void end();
  // Nobody wants any more of it.
  void close();

 private:
  struct Target {
    UniqueFd pipe;
    std::size_t done = 0;  // of bytes_
    bool watched = false;
  };

  void push(Target& target);
  void finish(Target& target);
  void settle();

  EventLoop& loop_;
  std::function<void(std::uint64_t)> taken_;
  std::vector<Target> targets_;
  std::string bytes_;
  bool ended_ = false;
};

}  // namespace hyades
