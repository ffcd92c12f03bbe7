/* What spinning jobs and the measurement share: a file in memory. */
#pragma once

#include <stdint.h>

enum { kSpinSlots = 256 };

/* One writer each; in a cache line of its own. */
struct SpinSlot {
  volatile uint64_t done; /* units of work */
  char rest[56];
};

struct SpinPage {
  uint32_t next;          /* slots that are taken */
  volatile uint32_t stop; /* not 0: end */
  char rest[56];
  struct SpinSlot slots[kSpinSlots];
};
