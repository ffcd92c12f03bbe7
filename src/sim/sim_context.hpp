// What all parts of one simulated world share.
#pragma once

#include <optional>
#include <utility>

#include "core/prng.hpp"
#include "sim/event_queue.hpp"
#include "sim/marks.hpp"
#include "sim/oracle.hpp"
#include "sim/sim_options.hpp"
#include "sim/trace.hpp"

namespace hyades {

struct SimContext {
  EventQueue& events;
  Prng random;
  Marks& marks;
  Trace& trace;
  Oracle& oracle;
  const SimOptions& options;
  bool healed = false;  // nothing fails from now on

  // True about so often out of a thousand times, until the world is healed.
  bool strikes(int per_thousand) {
    return per_thousand > 0 && !healed && random.chance(per_thousand);
  }
  bool strikes(int per_thousand, Mark mark) {
    const bool hit = strikes(per_thousand);
    if (hit) marks.hit(mark);
    return hit;
  }
  void log(const std::string& text) { trace.line(events.now_ms(), text); }
};

// Thrown out of a port by a process that dies in the middle of the call.
struct ProcessDied {};

// "Die at the n-th place from here."
class DeathWish {
 public:
  void arm(int places) { places_left_ = places; }
  void disarm() { places_left_ = 0; }
  void pass() {
    if (places_left_ > 0 && --places_left_ == 0) throw ProcessDied{};
  }

 private:
  int places_left_ = 0;
};

}  // namespace hyades
