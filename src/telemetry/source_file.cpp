#include "telemetry/source_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hyades {
namespace {

constexpr std::size_t first_buffer = 4096;

bool means_gone(int error) {
  return error == ENOENT || error == ENOTDIR || error == ENODEV || error == ENXIO || error == ESRCH;
}

}  // namespace

SourceFile::SourceFile(std::string path, std::size_t limit)
    : path_(std::move(path)), limit_(std::max<std::size_t>(limit, 1)) {}

SourceFile::SourceFile(SourceFile&& other) noexcept
    : path_(std::move(other.path_)),
      limit_(other.limit_),
      fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      size_(std::exchange(other.size_, 0)),
      gone_(other.gone_),
      why_(std::move(other.why_)) {}

SourceFile& SourceFile::operator=(SourceFile&& other) noexcept {
  if (this == &other) return *this;
  close();
  path_ = std::move(other.path_);
  limit_ = other.limit_;
  fd_ = std::exchange(other.fd_, -1);
  buffer_ = std::move(other.buffer_);
  size_ = std::exchange(other.size_, 0);
  gone_ = other.gone_;
  why_ = std::move(other.why_);
  return *this;
}

SourceFile::~SourceFile() { close(); }

void SourceFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

// O_NONBLOCK: a FIFO that a configuration names must not hold us up.
bool SourceFile::open() {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  return fd_ >= 0;
}

bool SourceFile::fail(int error) {
  size_ = 0;
  gone_ = means_gone(error);
  why_ = path_ + ": " + (gone_ ? "gone" : std::strerror(error));
  return false;
}

bool SourceFile::read() {
  const bool was_open = fd_ >= 0;
  if (!was_open && !open()) return fail(errno);
  int error = 0;
  bool good = read_open_file(error);
  if (!good && means_gone(error)) {
    close();
    // Perhaps it is there again, as another file.
    if (was_open) good = open() ? read_open_file(error) : (error = errno, false);
  }
  if (!good) return fail(error);
  gone_ = false;
  why_.clear();
  if (size_ < limit_ || cut_after_last_line()) return true;
  size_ = 0;
  why_ = path_ + ": its first line is longer than " + std::to_string(limit_) + " bytes";
  return false;
}

// In pieces, because the kernel gives out long tables in pieces, too.
bool SourceFile::read_open_file(int& error) {
  size_ = 0;
  for (;;) {
    if (size_ == buffer_.size()) {
      buffer_.resize(std::min(limit_, std::max(first_buffer, 2 * buffer_.size())));
    }
    const std::size_t room = std::min(buffer_.size(), limit_) - size_;
    if (room == 0) break;
    const ssize_t got = ::pread(fd_, buffer_.data() + size_, room, static_cast<off_t>(size_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error = errno, false;
    if (got == 0) break;
    size_ += static_cast<std::size_t>(got);
  }
  // An ordinary file that was removed can still be read. (Those of a device that was removed can
  // not: the kernel says ENODEV.)
  struct stat now = {};
  if (::fstat(fd_, &now) == 0 && now.st_nlink == 0) return error = ENOENT, false;
  return true;
}

bool SourceFile::cut_after_last_line() {
  while (size_ > 0 && buffer_[size_ - 1] != '\n') --size_;
  return size_ > 0;
}

std::string first_line_of(const std::string& path) {
  SourceFile file(path);
  file.read();
  return std::string(file.text().substr(0, file.text().find('\n')));
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* const open = ::opendir(directory.c_str());
  if (open == nullptr) return names;
  while (const dirent* entry = ::readdir(open)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(open);
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return ::strverscmp(a.c_str(), b.c_str()) < 0;
  });
  return names;
}

}  // namespace hyades
