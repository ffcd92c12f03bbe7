#include "wire/run_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hyades {

const char* const kClientSocketName = "hyades.sock";

std::string run_directory_path(const std::string& state_directory) {
  return state_directory + "/run";
}

std::string client_socket_path(const std::string& state_directory) {
  return run_directory_path(state_directory) + "/" + kClientSocketName;
}

int open_run_directory(const std::string& state_directory) {
  return open(run_directory_path(state_directory).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int make_run_directory(const std::string& state_directory, bool any_user, std::string& error) {
  const std::string path = run_directory_path(state_directory);
  const mode_t mode = any_user ? 0755 : 0700;
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    error = "Cannot create " + path + ": " + std::strerror(errno) + ".";
    return -1;
  }
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || fstat(fd, &info) != 0) {
    error = "Cannot use " + path + ": " + std::strerror(errno) +
            ". It must be a directory (not a link) of the user that runs Hyades.";
  } else if (info.st_uid != geteuid()) {
    error = path + " belongs to user " + std::to_string(info.st_uid) +
            ", but Hyades runs as user " + std::to_string(geteuid()) +
            ". Remove it or change its owner.";
  } else if ((info.st_mode & 022) != 0) {
    error = path + " can be written by others, who could put their own socket there. Run: chmod " +
            (any_user ? "0755 " : "0700 ") + path;
  } else if ((info.st_mode & 07777) != mode && fchmod(fd, mode) != 0) {
    error = "Cannot set the mode of " + path + ": " + std::strerror(errno) + ".";
  } else {
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

sockaddr_un client_socket_address(int directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory) + "/" + kClientSocketName;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);  // 14 + 10 + 12 bytes at most
  return address;
}

}  // namespace hyades
