// How long tasks had to wait for something, as the kernel tells it in /proc/pressure (PSI).
#pragma once

#include <string>

#include "telemetry/source_file.hpp"

namespace hyades {

class Pressure {
 public:
  // of: "cpu", "memory" or "io".
  Pressure(const std::string& root, const std::string& of);

  // The share of the last ten seconds, in per cent, in which at least one task waited. False:
  // there is none now, why() says why. Many kernels do not keep it, then it is never there.
  bool read(double& percent);
  const std::string& why() const { return why_; }

 private:
  SourceFile file_;
  std::string why_;
};

}  // namespace hyades
