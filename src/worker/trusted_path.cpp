#include "worker/trusted_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hyades {
namespace {

std::string distrust_one(const std::string& path, bool is_last) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return "cannot examine " + path + ": " + strerror(errno);
  if (info.st_uid != 0 && info.st_uid != geteuid()) {
    return path + " belongs to uid " + std::to_string(info.st_uid) +
           ", who could put anything there; chown it to uid " + std::to_string(geteuid());
  }
  if (S_ISLNK(info.st_mode)) return path + " is a symbolic link; name the place itself";
  const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & 022) != 0 && (is_last || !sticky)) {
    return "others may write to " + path + "; chmod go-w it";
  }
  return "";
}

}  // namespace

std::string distrust(const std::string& path) {
  if (!path.starts_with('/')) return path + " is not an absolute path";
  if ((path + '/').find("/../") != path.npos || (path + '/').find("/./") != path.npos) {
    return path + " goes through \".\" or \"..\"; name the place itself";
  }
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const bool is_last = end == path.npos;
    const std::string trouble = distrust_one(path.substr(0, end), is_last);
    if (!trouble.empty() || is_last) return trouble;
  }
}

}  // namespace hyades
