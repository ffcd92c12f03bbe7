// The text of a log, plain or packed with gzip, in blocks: which of the two its first bytes say,
// not its name. Bounded, since a packed file of some kilobytes may unpack to any size.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace hyades {

class TextSource {
 public:
  // Puts up to `size` bytes where it is told to; 0: the end. Throws std::runtime_error.
  using Read = std::function<std::size_t(char* into, std::size_t size)>;

  // `name` is for people. More than `bytes_max` bytes of text are refused.
  TextSource(std::string name, Read read, std::int64_t bytes_max);
  ~TextSource();
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  // A file, "-": standard input. Throws std::runtime_error when it cannot be opened.
  static std::unique_ptr<TextSource> open(const std::string& path, std::int64_t bytes_max);

  // Bytes in memory, which must outlive the source.
  static std::unique_ptr<TextSource> of(std::string name, std::string_view bytes,
                                        std::int64_t bytes_max);

  // Up to `size` (> 0) bytes of text; 0: the end. Throws std::runtime_error, with a sentence that
  // names the source, when it cannot be read, is damaged, ends early or is too large.
  std::size_t read(char* into, std::size_t size);

  const std::string& name() const { return name_; }

 private:
  bool fill();  // false at the end
  std::size_t copy(char* into, std::size_t size);
  std::size_t unpack(char* into, std::size_t size);
  void begin();
  [[noreturn]] void fail(const std::string& what) const;

  std::string name_;
  Read read_;
  std::int64_t bytes_left_;
  std::unique_ptr<char[]> block_;
  std::size_t block_size_ = 0;
  std::size_t at_ = 0;  // what of the block was used
  bool begun_ = false;
  bool packed_ = false;
  bool in_member_ = false;  // gzip files may be several, one behind the other
  z_stream inflater_{};
};

}  // namespace hyades
