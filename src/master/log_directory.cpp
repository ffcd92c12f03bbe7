#include "master/log_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace hyades {

LogDirectory::LogDirectory(const std::string& state_directory) {
  const std::string path = state_directory + "/log";
  fd_.reset(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat facts {};
  if (!fd_ || fstat(fd_.get(), &facts) != 0) {
    throw std::runtime_error("cannot use " + path + ": " + std::strerror(errno) +
                             "; it must be a directory and no link");
  }
  if (facts.st_uid != geteuid() || (facts.st_mode & 022) != 0) {
    throw std::runtime_error(path + " must belong to uid " + std::to_string(geteuid()) +
                             " and be writable for nobody else: move it away");
  }
}

std::string LogDirectory::path(const std::string& name) const {
  return "/proc/self/fd/" + std::to_string(fd_.get()) + "/" + name;
}

}  // namespace hyades
