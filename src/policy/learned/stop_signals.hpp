// Ctrl-C and SIGTERM as a wish to stop: the first one is noted, a second one of its kind ends the
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
  struct sigaction before_[2]{};
};

}  // namespace hyades::learned
