// What a shepherd has to do at a point in time that it knows before, and the descriptor that wakes
// it then.
#pragma once

#include "core/time.hpp"
#include "wire/unique_fd.hpp"
#include "worker/launch_record.hpp"

namespace hyades {

class ShepherdTimers {
 public:
  // By the boot clock; 0: not set.
  BootMs warning = 0;
  BootMs limit = 0;
  BootMs kill = 0;
  BootMs lease = 0;
  BootMs look = 0;     // at the counters
  BootMs reports = 0;  // when they are read again

  // False: errno says why.
  bool open();
  // Readable once the first of them is due, as of the last arm().
  int fd() const { return clock_.get(); }
  void arm();

  // Those of a job that starts now, but for the lease.
  void start(const LaunchRecord& launch, BootMs now);
  // Of a job that is being stopped: it is killed at `end_ms`, and neither warned nor stopped again.
  void stop(BootMs end_ms);

 private:
  UniqueFd clock_;
};

// True, and it is not set any more, when it is due.
bool take_due(BootMs& timer, BootMs now);

}  // namespace hyades
