// A directory for temporary files that goes away with everything in it.
#pragma once

#include <string>

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
};

}  // namespace hyades
