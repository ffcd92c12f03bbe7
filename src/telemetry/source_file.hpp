// One file of /proc or /sys, or of a tree of them in a test. It stays open and is read again from
// its beginning, which costs half to a fifth of opening it each time; and a file that only root may
// open goes on being readable when this process is no longer root.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hyades {

// Where a source cannot be read: that it is gone (no such file, device or process), or why.
class SourceFile {
 public:
  static constexpr std::size_t default_limit = 64 * 1024;

  // Nothing is opened before the first read.
  explicit SourceFile(std::string path, std::size_t limit = default_limit);
  SourceFile(SourceFile&& other) noexcept;
  SourceFile& operator=(SourceFile&& other) noexcept;
  ~SourceFile();

  // At most `limit` bytes, cut after the last whole line when there are more. False when it cannot
  // be read; text() is empty then, and why() says why. A file that was replaced or came back is
  // opened again. Blocks as long as the kernel does.
  bool read();

  // Of the last read(); as long as there is no other.
  std::string_view text() const { return {buffer_.data(), size_}; }
  bool gone() const { return gone_; }
  const std::string& why() const { return why_; }  // "PATH: REASON"
  const std::string& path() const { return path_; }

 private:
  bool open();
  void close();
  bool fail(int error);
  bool read_open_file(int& error);
  bool cut_after_last_line();

  std::string path_;
  std::size_t limit_;
  int fd_ = -1;
  std::vector<char> buffer_;
  std::size_t size_ = 0;
  bool gone_ = false;
  std::string why_;
};

// The first line of a file that says one thing; "" when it cannot be read.
std::string first_line_of(const std::string& path);

// The names in a directory, in the order people count (hwmon2 before hwmon10), none when there is
// no such directory.
std::vector<std::string> names_in(const std::string& directory);

}  // namespace hyades
