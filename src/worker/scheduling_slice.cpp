#include "worker/scheduling_slice.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace hyades {
namespace {

constexpr std::uint64_t shortest_ns = 100'000;  // the kernel grants no less

// The kernel's struct sched_attr, in its first version; the C library has none before 2.41.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // of a process without real time: its slice; 0: the default
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};

void ask_for_slice(std::uint64_t nanoseconds) {
  Attributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER && attributes.policy != SCHED_BATCH) return;
  attributes.runtime_ns = nanoseconds;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace

void ask_for_short_slices() { ask_for_slice(shortest_ns); }
void ask_for_usual_slices() { ask_for_slice(0); }

}  // namespace hyades
