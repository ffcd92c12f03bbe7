#include "core/work_class.hpp"

#include <algorithm>

namespace hyades {

const std::vector<WorkClass>& known_work_classes() {
  static const std::vector<WorkClass> classes = {
      {.name = "compute", .compute = 0.95, .memory = 0.05},
      {.name = "memory", .compute = 0.1, .memory = 0.9},
      {.name = "latency", .compute = 0.3, .memory = 0.1, .latency = 0.6},
      {.name = "disk", .compute = 0.3, .disk = 0.7},
      {.name = "network", .compute = 0.6, .memory = 0.1, .network = 0.3},
      {.name = "mixed", .compute = 0.6, .memory = 0.3, .network = 0.1},
      {.name = std::string(kUnplacedWorkClass)},
  };
  return classes;
}

std::string check_class_name(std::string_view name) {
  constexpr std::size_t most = 64;
  const bool printable = std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '.' || letter == '-';
  });
  if (!name.empty() && name.size() <= most && printable) return "";
  return "a class has a name of at most 64 letters, digits, '_', '.' and '-'";
}

}  // namespace hyades
