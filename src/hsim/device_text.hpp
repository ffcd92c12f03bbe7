// Files of a study of devices.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "cli/failure.hpp"

namespace hyades {

// All of it. Throws Failure.
inline std::string read_device_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    throw Failure(path + ": cannot be read, or is empty. Name a file that is there");
  }
  return std::move(text).str();
}

}  // namespace hyades
