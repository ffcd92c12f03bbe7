#include "step/own_temporaries.hpp"

#include <cstdlib>
#include <filesystem>

namespace hyades {

OwnTemporaries::~OwnTemporaries() {
  std::error_code ignored;  // what cannot be removed stays
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

bool OwnTemporaries::make(const std::string& parent) {
  std::string path = parent + "/hyades-step-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return false;
  path_ = path;
  return true;
}

}  // namespace hyades
