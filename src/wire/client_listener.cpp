#include "wire/client_listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wire/run_directory.hpp"

namespace hyades {

namespace {

// Removes a socket that a dead master left. False: something else is there, or somebody answers.
bool clear_stale_socket(int directory, const std::string& path, std::string& error) {
  struct stat info {};
  if (fstatat(directory, kClientSocketName, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return true;
    error = "Cannot look at " + path + ": " + std::strerror(errno) + ".";
    return false;
  }
  if (!S_ISSOCK(info.st_mode)) {
    error = path + " is in the way and is not a socket. Move it away.";
    return false;
  }
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_un address = client_socket_address(directory);
  const int connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int reason = errno;
  close(probe);
  if (connected == 0 || reason != ECONNREFUSED) {
    error = "Another master answers on " + path + ". Stop it first ('hyades down').";
    return false;
  }
  if (unlinkat(directory, kClientSocketName, 0) == 0 || errno == ENOENT) return true;
  error = "Cannot remove the old socket " + path + ": " + std::strerror(errno) + ".";
  return false;
}

}  // namespace

int listen_for_clients(int directory, const std::string& path, bool any_user, std::string& error) {
  if (!clear_stale_socket(directory, path, error)) return -1;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_un address = client_socket_address(directory);
  // The mode is set before anybody can connect.
  if (fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      fchmodat(directory, kClientSocketName, any_user ? 0666 : 0600, 0) == 0 &&
      listen(fd, SOMAXCONN) == 0) {
    return fd;
  }
  error = "Cannot listen on " + path + ": " + std::strerror(errno) + ".";
  if (fd >= 0) close(fd);
  return -1;
}

}  // namespace hyades
