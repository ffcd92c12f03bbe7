// What of the configuration a running cluster cannot change: a reload keeps what is in effect, and
// says what waits for the next start.
#pragma once

#include <string>
#include <vector>

#include "core/config.hpp"

namespace hyades {

struct LateSetting {
  std::string section;  // "[security]"
  std::string key;
  std::string value;  // as the file would say it

  friend bool operator==(const LateSetting&, const LateSetting&) = default;
};

// Puts what `running` has into `loaded`, as far as only a start can change it, and returns what
// `loaded` had in its place.
std::vector<LateSetting> keep_running_settings(const ClusterConfig& running, ClusterConfig& loaded);

// "user and listen take effect at the next start of the cluster", or "".
std::string late_sentence(const std::vector<LateSetting>& late);

// Comments to follow the configuration in effect, or "".
std::string render_late(const std::vector<LateSetting>& late);

}  // namespace hyades
