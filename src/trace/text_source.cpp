#include "trace/text_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace hyades {
namespace {

constexpr std::size_t block_bytes = 64 * 1024;
constexpr int gzip_window_bits = 15 + 16;  // zlib: the largest window, gzip's header and trailer

// A descriptor that copies of a std::function share.
struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd > STDERR_FILENO) close(fd);
  }
};

TextSource::Read reader(std::shared_ptr<Descriptor> file) {
  return [file = std::move(file)](char* into, std::size_t size) {
    ssize_t got;
    do {
      got = ::read(file->fd, into, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw std::runtime_error(std::strerror(errno));
    return static_cast<std::size_t>(got);
  };
}

}  // namespace

TextSource::TextSource(std::string name, Read read, std::int64_t bytes_max)
    : name_(std::move(name)),
      read_(std::move(read)),
      bytes_left_(bytes_max),
      block_(std::make_unique_for_overwrite<char[]>(block_bytes)) {}

TextSource::~TextSource() {
  if (packed_) inflateEnd(&inflater_);
}

std::unique_ptr<TextSource> TextSource::open(const std::string& path, std::int64_t bytes_max) {
  auto file = std::make_shared<Descriptor>();
  const bool standard = path == "-";
  file->fd = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file->fd < 0) {
    throw std::runtime_error(path + ": cannot be opened: " + std::strerror(errno));
  }
  return std::make_unique<TextSource>(standard ? "standard input" : path, reader(std::move(file)),
                                      bytes_max);
}

std::unique_ptr<TextSource> TextSource::of(std::string name, std::string_view bytes,
                                           std::int64_t bytes_max) {
  const auto read = [bytes](char* into, std::size_t size) mutable {
    const std::size_t count = bytes.copy(into, size);
    bytes.remove_prefix(count);
    return count;
  };
  return std::make_unique<TextSource>(std::move(name), read, bytes_max);
}

std::size_t TextSource::read(char* into, std::size_t size) {
  if (!begun_) begin();
  const std::size_t got = packed_ ? unpack(into, size) : copy(into, size);
  bytes_left_ -= static_cast<std::int64_t>(got);
  if (bytes_left_ < 0) {
    fail("is larger than what is read of a log; cut it into parts");
  }
  return got;
}

void TextSource::begin() {
  begun_ = true;
  // A pipe may give one byte at a time; two say what this is.
  while (block_size_ < 2) {
    const std::size_t before = block_size_;
    try {
      block_size_ += read_(block_.get() + before, block_bytes - before);
    } catch (const std::runtime_error& error) {
      fail(std::string("cannot be read: ") + error.what());
    }
    if (block_size_ == before) break;
  }
  if (block_size_ < 2 || block_[0] != '\x1f' || block_[1] != '\x8b') return;
  if (inflateInit2(&inflater_, gzip_window_bits) != Z_OK) fail("cannot be unpacked: no memory");
  packed_ = in_member_ = true;
}

bool TextSource::fill() {
  if (at_ < block_size_) return true;
  at_ = 0;
  block_size_ = 0;
  try {
    block_size_ = read_(block_.get(), block_bytes);
  } catch (const std::runtime_error& error) {
    fail(std::string("cannot be read: ") + error.what());
  }
  return block_size_ > 0;
}

std::size_t TextSource::copy(char* into, std::size_t size) {
  if (!fill()) return 0;
  const std::size_t count = std::min(size, block_size_ - at_);
  std::memcpy(into, block_.get() + at_, count);
  at_ += count;
  return count;
}

std::size_t TextSource::unpack(char* into, std::size_t size) {
  inflater_.next_out = reinterpret_cast<Bytef*>(into);
  inflater_.avail_out = static_cast<uInt>(std::min(size, block_bytes));
  const std::size_t room = inflater_.avail_out;
  while (inflater_.avail_out == room) {
    if (!fill()) {
      if (in_member_) fail("ends in the middle of its gzip data; fetch it again");
      return 0;
    }
    if (!in_member_) {
      if (inflateReset(&inflater_) != Z_OK) fail("cannot be unpacked");
      in_member_ = true;
    }
    inflater_.next_in = reinterpret_cast<Bytef*>(block_.get() + at_);
    inflater_.avail_in = static_cast<uInt>(block_size_ - at_);
    const int outcome = inflate(&inflater_, Z_NO_FLUSH);
    at_ = block_size_ - inflater_.avail_in;
    if (outcome == Z_STREAM_END) {
      in_member_ = false;
    } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
      fail(std::string("is damaged gzip data: ") +
           (inflater_.msg != nullptr ? inflater_.msg : "no reason known"));
    }
  }
  return room - inflater_.avail_out;
}

void TextSource::fail(const std::string& what) const {
  throw std::runtime_error(name_ + ": " + what);
}

}  // namespace hyades
