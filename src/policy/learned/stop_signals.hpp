// Ctrl-C, SIGTERM and SIGUSR1 (which mpirun passes on to its ranks, where of the others it makes an
// end) as a wish to stop: the first one is noted, a second one of its kind ends the
// process at once, as if nobody had asked. One at a time; for the whole process.
#pragma once

#include <csignal>

namespace hyades::learned {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The signal that came; 0: none.
  int asked() const;

 private:
  struct sigaction before_[3]{};
};

}  // namespace hyades::learned
