#include "cli/script_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/failure.hpp"
#include "core/job_spec.hpp"

namespace hyades {
namespace {

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd(fd) {}
  ~OpenFile() {
    if (fd > STDIN_FILENO) close(fd);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const int fd;
};

std::string read_all(int fd, const std::string& name) {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Failure(name + ": cannot read the script: " + std::strerror(errno));
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > Limits::script_bytes_max) {
      throw Failure(name +
                    ": the script is longer than 4 MiB (4194304 bytes), the most that can "
                    "be submitted; put data into files");
    }
  }
}

}  // namespace

ReadScript read_script(const std::string& path) {
  if (path == "-") return {read_all(STDIN_FILENO, "standard input"), "standard input"};
  const OpenFile file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) {
    throw Failure(path + ": cannot open the script: " + std::strerror(errno));
  }
  struct stat about {};
  if (fstat(file.fd, &about) == 0 && S_ISDIR(about.st_mode)) {
    throw Failure(path + ": this is a directory; name the script to submit");
  }
  return {read_all(file.fd, path), path};
}

std::string wrap_command(const std::string& command) {
  return "#!/bin/sh\n# Made by hsub --wrap.\n\n" + command + "\n";
}

}  // namespace hyades
