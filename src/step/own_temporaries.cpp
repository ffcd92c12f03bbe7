#include "step/own_temporaries.hpp"

#include <cstdlib>
#include <filesystem>

namespace hyades {

void OwnTemporaries::remove() {
  std::error_code ignored;  // what cannot be removed stays
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  path_.clear();
}

bool OwnTemporaries::make(const std::string& parent) {
  std::string path = parent + "/hyades-step-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return false;
  path_ = path;
  return true;
}

}  // namespace hyades
