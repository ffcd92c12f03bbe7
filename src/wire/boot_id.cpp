#include "wire/boot_id.hpp"

#include <fstream>

namespace hyades {

const std::string& current_boot_id() {
  static const std::string id = [] {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string line;
    std::getline(file, line);
    return line;
  }();
  return id;
}

}  // namespace hyades
