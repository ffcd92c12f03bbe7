#include "master/file_checks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace hyades {
namespace {

std::string octal(mode_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

std::string wrong_owner(const std::string& path, uid_t owner) {
  return path + " belongs to uid " + std::to_string(owner) + ", but this master runs as uid " +
         std::to_string(geteuid()) + ": run it as the owner, or chown " + path;
}

}  // namespace

bool exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

std::string system_error(const std::string& doing, int error) {
  return doing + ": " + std::strerror(error);
}

std::string check_private_file(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? "" : system_error("cannot look at " + path, errno);
  }
  if (S_ISLNK(status.st_mode)) {
    return path + " is a symbolic link: put the file itself there";
  }
  if (!S_ISREG(status.st_mode)) return path + " is not a regular file: move it away";
  if (status.st_uid != geteuid()) return wrong_owner(path, status.st_uid);
  if ((status.st_mode & 077) != 0) {
    return path + " has mode " + octal(status.st_mode) +
           ", so others may read or change it: check who did, then chmod 600 " + path;
  }
  return "";
}

std::string check_trusted_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? "" : system_error("cannot look at " + path, errno);
  }
  if (!S_ISREG(status.st_mode)) return path + " is not a regular file";
  if (status.st_uid != geteuid() && status.st_uid != 0) return wrong_owner(path, status.st_uid);
  if ((status.st_mode & S_IWOTH) != 0) {
    return path + " has mode " + octal(status.st_mode) +
           ", so everybody may change it: check what it says, then chmod o-w " + path;
  }
  return "";
}

std::string check_private_directory(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return system_error("cannot look at " + path, errno);
  if (!S_ISDIR(status.st_mode)) return path + " is not a directory";
  if (status.st_uid != geteuid()) return wrong_owner(path, status.st_uid);
  if ((status.st_mode & 022) != 0) {
    return path + " has mode " + octal(status.st_mode) +
           ", so others may put files there: check what it holds, then chmod 700 " + path;
  }
  for (std::string above = path; above.size() > 1;) {
    const std::size_t slash = above.rfind('/');
    above = slash == 0 ? "/" : above.substr(0, slash);
    if (lstat(above.c_str(), &status) != 0) return system_error("cannot look at " + above, errno);
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0) {
      return path + " lies below " + above + ", which has mode " + octal(status.st_mode) +
             ", so anybody could replace it: chmod o-w " + above + ", or use another directory";
    }
  }
  return "";
}

bool sync_directory(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  errno = error;
  return result == 0;
}

}  // namespace hyades
