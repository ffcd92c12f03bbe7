#include "core/config.hpp"

#include <algorithm>

namespace hyades {

const WorkClass* find_work_class(const ClusterConfig& config, const std::string& name) {
  for (const auto* classes : {&config.work_classes, &known_work_classes()}) {
    for (const WorkClass& work : *classes) {
      if (work.name == name) return &work;
    }
  }
  return nullptr;
}

std::vector<std::string> work_class_names(const ClusterConfig& config) {
  std::vector<std::string> names;
  for (const auto* classes : {&known_work_classes(), &config.work_classes}) {
    for (const WorkClass& work : *classes) {
      if (std::find(names.begin(), names.end(), work.name) == names.end()) {
        names.push_back(work.name);
      }
    }
  }
  return names;
}

}  // namespace hyades
