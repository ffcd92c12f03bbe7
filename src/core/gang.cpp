#include "core/gang.hpp"

#include <algorithm>

namespace hyades {

namespace {

bool ended_by_itself(const LaunchReport& report) {
  return report.state == LaunchState::Exited && report.exit.launch_error.empty() &&
         report.exit.stopped != StopReason::LeaseExpired;
}

}  // namespace

bool Gang::over() const {
  return std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.over; });
}

bool Gang::companions_run() const {
  return std::all_of(parts.begin() + 1, parts.end(),
                     [](const Part& part) { return part.running(); });
}

bool Gang::broken(bool has_started) const {
  return std::any_of(parts.begin() + 1, parts.end(), [&](const Part& part) {
    return part.over && !(has_started && ended_by_itself(part.report));
  });
}

std::size_t Gang::to_blame() const {
  if (culprit != none) return culprit;
  // Not known after a restart of the master: then the one with something to say.
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const LaunchReport& report = parts[i].report;
    if (report.node_fault || report.state == LaunchState::NeverStarted ||
        report.state == LaunchState::Lost) {
      return i;
    }
  }
  return 0;
}

}  // namespace hyades
