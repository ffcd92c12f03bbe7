#include "master/state_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "master/file_checks.hpp"

namespace hyades {
namespace {

// Creates `path` and what is missing above it, all for us alone.
bool make_directories(const std::string& path, std::string& error) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      error = system_error("cannot create " + part, errno);
      return false;
    }
    if (slash == std::string::npos) return true;
  }
}

// Absolute and free of links; the last component itself must not be one.
bool resolve(std::string path, std::string& resolved, std::string& error) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    error = errno == ENOENT ? "there is no state directory " + path +
                                  ": create it with --init, or name another one with --dir"
                            : system_error("cannot look at " + path, errno);
    return false;
  }
  if (S_ISLNK(status.st_mode)) {
    error = path + " is a symbolic link: name the directory itself";
    return false;
  }
  char buffer[PATH_MAX];
  if (realpath(path.c_str(), buffer) == nullptr) {
    error = system_error("cannot resolve " + path, errno);
    return false;
  }
  resolved = buffer;
  return true;
}

std::string read_owner(int fd) {
  char text[32] = {};
  const ssize_t size = pread(fd, text, sizeof text - 1, 0);
  const long pid = size > 0 ? std::strtol(text, nullptr, 10) : 0;
  return pid > 0 ? "pid " + std::to_string(pid) : "pid unknown";
}

// The locked file, or -1.
int take_lock(const std::string& directory, std::string& error) {
  const std::string path = directory + "/master.lock";
  error = check_private_file(path);
  if (!error.empty()) return -1;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    error = system_error("cannot open " + path, errno) +
            (errno == EROFS || errno == EACCES
                 ? ": the state directory must be writable for this master"
                 : "");
    return -1;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    error = errno == EWOULDBLOCK ? "another master (" + read_owner(fd) + ") owns " + directory +
                                       ": stop it first, or use another directory"
                                 : system_error("cannot lock " + path, errno) +
                                       ": the file system must support locks";
    close(fd);
    return -1;
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  // Only for people and for the message above; the lock itself needs no content.
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    // A full disk: the queue will say so where it matters.
  }
  return fd;
}

}  // namespace

std::unique_ptr<StateDirectory> StateDirectory::open(const std::string& path, IfMissing if_missing,
                                                     std::string& error) {
  if (path.empty() || path.find('\0') != std::string::npos || path.size() >= PATH_MAX) {
    error = "the path of the state directory is empty, too long or not a path";
    return nullptr;
  }
  if (if_missing == IfMissing::Create && !make_directories(path, error)) return nullptr;
  std::string resolved;
  if (!resolve(path, resolved, error)) return nullptr;
  error = check_private_directory(resolved);
  if (!error.empty()) return nullptr;
  const int fd = take_lock(resolved, error);
  if (fd < 0) return nullptr;
  return std::unique_ptr<StateDirectory>(new StateDirectory(std::move(resolved), fd));
}

StateDirectory::StateDirectory(std::string path, int lock_fd)
    : path_(std::move(path)), lock_fd_(lock_fd) {}

StateDirectory::~StateDirectory() { close(lock_fd_); }

}  // namespace hyades
