#include "step/task_program.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hyades {
namespace {

// 0, or why this file cannot be run.
int check(const std::string& path, int directory) {
  struct stat facts = {};
  if (fstatat(directory, path.c_str(), &facts, 0) != 0) return errno;
  if (S_ISDIR(facts.st_mode)) return EISDIR;
  return faccessat(directory, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

TaskProgram refuse(const std::string& name, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  return {"", absent ? 127 : 126,
          absent ? "'" + name + "' was not found"
                 : "cannot run '" + name + "': " + std::strerror(error)};
}

}  // namespace

TaskProgram find_task_program(const std::string& name, std::string_view path, int directory) {
  if (name.find('/') != name.npos) {
    const int error = check(name, directory);
    return error == 0 ? TaskProgram{name, 0, ""} : refuse(name, error);
  }
  if (path.empty()) path = "/usr/local/bin:/usr/bin:/bin";
  int seen = ENOENT;  // something of that name, but not to be run
  for (std::size_t begin = 0; begin <= path.size() && !name.empty();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    // An empty entry is the current directory.
    const std::string folder = begin == end ? "." : std::string(path.substr(begin, end - begin));
    const int error = check(folder + '/' + name, directory);
    if (error == 0) return {folder + '/' + name, 0, ""};
    if (error != ENOENT && error != ENOTDIR && error != EISDIR) seen = error;
    begin = end + 1;
  }
  TaskProgram result = refuse(name, seen);
  if (seen == ENOENT) result.problem += " in PATH";
  return result;
}

}  // namespace hyades
