// How the oracles speak.
#pragma once

#include <string>

#include "core/ids.hpp"
#include "sim/oracle.hpp"

namespace hyades {

inline std::string name_of(JobId job) { return "job " + std::to_string(job); }
inline std::string name_of(const LaunchKey& key) { return "launch " + to_string(key); }

inline void require(bool holds, const char* oracle, const std::string& what) {
  if (!holds) throw Violation(oracle, what);
}

}  // namespace hyades
