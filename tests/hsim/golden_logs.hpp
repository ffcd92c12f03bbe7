// The logs that lie beside the repository, and the yardsticks that another scheduler made of them.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "trace/swf_reader.hpp"

namespace hyades {

constexpr double kExact = 1e-6;

inline bool has_golden_logs() { return std::filesystem::exists(HYADES_TRACES "/golden"); }

inline Workload golden_log(const std::string& log) {
  return read_swf(HYADES_TRACES "/" + log).workload;
}

// `name`: "KTH-SP2"; `kind`: "starts", "std".
inline nlohmann::json golden_file(const std::string& name, const std::string& kind) {
  std::ifstream file(HYADES_TRACES "/golden/" + name + "." + kind + ".json");
  return nlohmann::json::parse(file);
}

}  // namespace hyades
