#include "file_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace hyades::jobscripts {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void throw_write_error(const std::string& path) {
  const int error = errno;
  throw FileError(path, std::string("cannot write: ") + std::strerror(error),
                  "Check that the directory exists, that you may write to it and that it has room");
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    // A signal (the batch system's warning) may interrupt a write; that is not a failure.
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_write_error(path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Removes the temporary file unless it was renamed into its place.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target)
      : name_(target + ".XXXXXX"), fd_(::mkostemp(name_.data(), O_CLOEXEC)) {
    if (fd_.get() < 0) throw_write_error(target);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!renamed_) ::unlink(name_.c_str());
  }

  int fd() const { return fd_.get(); }

  void rename_to(const std::string& target) {
    if (::rename(name_.c_str(), target.c_str()) != 0) throw_write_error(target);
    renamed_ = true;
  }

 private:
  std::string name_;
  FileDescriptor fd_;
  bool renamed_ = false;
};

}  // namespace

std::string read_file(const std::string& path, std::size_t max_bytes, const std::string& fix) {
  // A pipe in its place must not be waited for until somebody writes into it.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    throw FileError(path, std::string("cannot read: ") + std::strerror(errno), fix);
  }
  if (!S_ISREG(status.st_mode)) throw FileError(path, "not a regular file", fix);
  if (static_cast<std::size_t>(status.st_size) > max_bytes) {
    throw FileError(path,
                    std::to_string(status.st_size) + " bytes, more than the " +
                        std::to_string(max_bytes) + " that such a file may have",
                    fix);
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw FileError(path, std::string("cannot read: ") + std::strerror(errno), fix);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  TemporaryFile temporary(path);
  write_all(temporary.fd(), bytes, path);
  // mkostemp() makes the file private to its owner; a data set is as readable as any other file.
  if (::fchmod(temporary.fd(), 0644) != 0 || ::fsync(temporary.fd()) != 0) throw_write_error(path);
  temporary.rename_to(path);
  // The rename itself is durable only once the directory is synced.
  std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  const FileDescriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0 || ::fsync(parent.get()) != 0) throw_write_error(path);
}

}  // namespace hyades::jobscripts
