// Time that a processor had for a task by the clock, but not by the kernel's account of the task:
// the hypervisor gave it to somebody else, or interrupts were served in it. Counters that go by the
// clock have it; rusage has not.
#pragma once

#include <unistd.h>

#include <fstream>
#include <string>

namespace hyades::test {

class TakenTime {
 public:
  // Of the whole machine, since this was made; with what the last tick of each processor may hide.
  double ms() const {
    const double tick_ms = 1000.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
    const double hidden = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    return (static_cast<double>(ticks() - begin_) + hidden) * tick_ms;
  }

 private:
  static long ticks() {
    std::ifstream stat("/proc/stat");
    std::string cpu;
    long user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
    stat >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
    return irq + softirq + steal;
  }

  long begin_ = ticks();
};

}  // namespace hyades::test
