// Reads what a node's tasks print and hands it on in pieces, as long as there is room for it; the
// rest stays in the pipes, where it makes the tasks wait. Nothing is lost and nothing piles up.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "step/event_loop.hpp"

namespace hyades {

class OutputPump {
 public:
  struct Handlers {
    std::function<void(int task, int stream, std::string&& bytes)> output;
    std::function<void(int task, int stream)> ended;
    std::function<bool()> has_room;
  };

  OutputPump(EventLoop& loop, Handlers handlers) : loop_(loop), handlers_(std::move(handlers)) {}
  ~OutputPump();
  OutputPump(const OutputPump&) = delete;
  OutputPump& operator=(const OutputPump&) = delete;

  // The non-blocking end of a task's pipe; `stream` is 1 or 2.
  void add(int task, int stream, UniqueFd pipe);

  // There is room again.
  void resume();

  // Stops reading this stream of all tasks, as if they had closed it.
  void close(int stream);

  bool is_empty() const { return pipes_.empty(); }
  // Grows with every byte.
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  using Name = std::pair<int, int>;  // task, stream

  void watch(const Name& name);
  void read(const Name& name);

  EventLoop& loop_;
  Handlers handlers_;
  std::map<Name, UniqueFd> pipes_;
  std::vector<Name> waiting_;  // had something when there was no room; not watched
  std::uint64_t bytes_read_ = 0;
};

}  // namespace hyades
