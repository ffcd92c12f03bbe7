#include "telemetry/process_io.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

namespace hyades {

namespace {

// Of the line that begins with `name`, which is the first one or comes after a line's end.
bool find_amount(std::string_view text, std::string_view name, std::int64_t& out) {
  for (std::size_t at = 0; (at = text.find(name, at)) != text.npos; at += name.size()) {
    if (at != 0 && text[at - 1] != '\n') continue;
    const char* const begin = text.data() + at + name.size();
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(begin, end, out);
    return error == std::errc() && out >= 0 && rest != end && *rest == '\n';
  }
  return false;
}

}  // namespace

bool parse_process_io(std::string_view text, ProcessIo& out) {
  ProcessIo found;
  if (!find_amount(text, "read_bytes: ", found.read_bytes) ||
      !find_amount(text, "write_bytes: ", found.write_bytes)) {
    return false;
  }
  out = found;
  return true;
}

ProcessIoReader::ProcessIoReader(const std::string& root)
    : proc_(open((root + "/proc").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      kept_(proc_ >= 0 && faccessat(proc_, "self/io", F_OK, 0) == 0) {}

ProcessIoReader::~ProcessIoReader() {
  if (proc_ >= 0) close(proc_);
}

ProcessIoReader::Answer ProcessIoReader::read(pid_t pid, ProcessIo& out) const {
  char path[32];
  std::snprintf(path, sizeof path, "%d/io", static_cast<int>(pid));
  const int file = proc_ < 0 ? -1 : openat(proc_, path, O_RDONLY | O_CLOEXEC);
  char text[512];
  // Opening is allowed to everybody on some kernels, and reading is not.
  const ssize_t size = file < 0 ? -1 : ::read(file, text, sizeof text);
  const int error = errno;
  if (file >= 0) close(file);
  if (size < 0) return error == EACCES || error == EPERM ? Answer::Forbidden : Answer::Gone;
  return parse_process_io({text, static_cast<std::size_t>(size)}, out) ? Answer::Known
                                                                       : Answer::Gone;
}

}  // namespace hyades
