#include "step/own_temporaries.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace hyades {
namespace {

namespace fs = std::filesystem;

constexpr const char* name_start = "hyades-step-";

// The directory, when it is ours and nobody holds it.
UniqueFd take(const std::string& path) {
  UniqueFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts = {};
  if (!directory || fstat(directory.get(), &facts) != 0 || facts.st_uid != geteuid() ||
      flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    directory.reset();
  }
  return directory;
}

void remove_all(const std::string& path) {
  std::error_code ignored;  // what cannot be removed stays
  fs::remove_all(path, ignored);
}

void remove_forgotten(const std::string& parent) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(name_start)) continue;
    if (take(entry.path())) remove_all(entry.path());
  }
}

}  // namespace

bool OwnTemporaries::make(const std::string& parent) {
  remove_forgotten(parent);
  // Before it is locked, another process may take it for forgotten.
  for (int tries = 0; tries < 100; ++tries) {
    std::string path = parent + '/' + name_start + "XXXXXX";
    if (mkdtemp(path.data()) == nullptr) return false;
    lock_ = take(path);
    if (lock_ && access(path.c_str(), F_OK) == 0) {
      path_ = path;
      return true;
    }
  }
  errno = EAGAIN;
  return false;
}

void OwnTemporaries::remove() {
  if (!path_.empty()) remove_all(path_);
  path_.clear();
  lock_.reset();
}

}  // namespace hyades
