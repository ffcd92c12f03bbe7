// What will happen, in order of time; things of the same time in the order they were planned.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace hyades {

class EventQueue {
 public:
  using Action = std::function<void()>;

  std::int64_t now_ms() const { return now_ms_; }

  void after(std::int64_t delay_ms, Action action) {
    events_.push(Event{now_ms_ + (delay_ms > 0 ? delay_ms : 0), planned_++, std::move(action)});
  }

  // Moves time to the next event and runs it; false when there is none up to `until_ms` (time is
  // then `until_ms`).
  bool run_next(std::int64_t until_ms) {
    if (events_.empty() || events_.top().at_ms > until_ms) {
      if (now_ms_ < until_ms) now_ms_ = until_ms;
      return false;
    }
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    now_ms_ = event.at_ms;
    ++ran_;
    event.action();
    return true;
  }

  std::uint64_t ran() const { return ran_; }

 private:
  struct Event {
    std::int64_t at_ms;
    std::uint64_t order;
    Action action;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at_ms != b.at_ms ? a.at_ms > b.at_ms : a.order > b.order;
    }
  };

  std::int64_t now_ms_ = 0;
  std::uint64_t planned_ = 0;
  std::uint64_t ran_ = 0;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
};

}  // namespace hyades
