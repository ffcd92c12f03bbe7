// One end of a step's connection: frames in, frames out, never blocking. What is sent is kept until
// the other side takes it; who sends much looks at pending() and waits for the drained handler.
#pragma once

#include <functional>
#include <string>

#include "step/event_loop.hpp"
#include "step/step_frame.hpp"
#include "step/step_message.hpp"

namespace hyades {

class StepChannel {
 public:
  // Beyond so many bytes on their way out, who has a choice sends no more.
  static constexpr std::size_t pending_max = 64u << 10;

  struct Handlers {
    std::function<void(StepMessage&& message)> received;
    // Once, and nothing after it; `why` is a clause, "" when the other side just closed.
    std::function<void(const std::string& why)> closed;
    // There is room again after pending() had reached pending_max.
    std::function<void()> drained;
  };

  // A connected stream socket, or one whose connect is in progress. Handlers are called from the
  // loop only, never from within a call of this class. `loop` must outlive the channel.
  StepChannel(EventLoop& loop, UniqueFd socket, Handlers handlers);
  ~StepChannel() { close(); }
  StepChannel(const StepChannel&) = delete;
  StepChannel& operator=(const StepChannel&) = delete;

  void trust() { reader_.trust(); }
  void send(const StepMessage& message);
  std::size_t pending() const { return out_.size() - sent_; }
  bool is_full() const { return pending() >= pending_max; }

  // While held, nothing is read and no message delivered.
  void hold(bool held);

  bool is_open() const { return static_cast<bool>(socket_); }
  // At once; what is pending is lost.
  void close();

 private:
  void on_event(std::uint32_t events);
  void receive();
  void deliver();
  void flush();
  void fail(const std::string& why);
  void watch();

  EventLoop& loop_;
  UniqueFd socket_;
  Handlers handlers_;
  StepFrameReader reader_;
  std::string out_;
  std::size_t sent_ = 0;
  bool was_full_ = false;
  bool held_ = false;
  bool parked_ = false;  // not watched: it has ended, but what it sent last was not read yet
  std::uint32_t watched_ = 0;
  EventLoop::Timer wake_{};
};

}  // namespace hyades
