// A directory for temporary files that goes away with everything in it. One whose owner was killed
// goes with the next that is made beside it.
#pragma once

#include <string>

#include "wire/unique_fd.hpp"

namespace hyades {

class OwnTemporaries {
 public:
  OwnTemporaries() = default;
  OwnTemporaries(const OwnTemporaries&) = delete;
  OwnTemporaries& operator=(const OwnTemporaries&) = delete;
  ~OwnTemporaries() { remove(); }

  // Makes it in `parent` (0700); false and errno when that fails.
  bool make(const std::string& parent);
  void remove();
  const std::string& path() const { return path_; }

 private:
  std::string path_;  // "": none
  UniqueFd lock_;     // held as long as we live
};

}  // namespace hyades
