// Where the processors' time went between two looks at /proc/stat.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "telemetry/source_file.hpp"

namespace hyades {

// In per cent of the time of all processors of the node; the five sum up to 100. What a hypervisor
// took (steal) is neither work nor idle.
struct CpuShares {
  double user = 0;    // with nice
  double system = 0;  // with interrupts
  double iowait = 0;
  double steal = 0;
  double idle = 0;

  // Rounding must not make it more than everything.
  double busy() const { return std::min(user + system, 100.0); }
};

class CpuTimes {
 public:
  // root: "" for this machine, else where a tree with proc/ in it stands.
  explicit CpuTimes(const std::string& root);

  enum class Answer {
    Shares,   // since the look that gave the last ones, or the first look
    NotYet,   // this was the first look, or no clock tick (10 ms) has passed since
    Trouble,  // why() says what
  };
  Answer look(CpuShares& shares);
  const std::string& why() const { return why_; }

 private:
  enum Field { User, Nice, System, Idle, Iowait, Irq, Softirq, Steal, kFields };
  using Ticks = std::array<std::uint64_t, kFields>;

  bool read(Ticks& ticks);

  SourceFile file_;
  Ticks last_ = {};
  bool has_last_ = false;
  std::string why_;
};

}  // namespace hyades
