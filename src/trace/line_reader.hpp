// A text in lines, without copying those that lie within a block. Lines end with "\n" or "\r\n"; of
// one that is longer than any honest one only its beginning is given.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "trace/text_source.hpp"

namespace hyades {

class LineReader {
 public:
  static constexpr std::size_t line_bytes_max = 64 * 1024;

  // The source must outlive the reader.
  explicit LineReader(TextSource& source);

  // The next line, valid until the next call, without what ends it; false at the end. Throws
  // std::runtime_error as the source does.
  bool next(std::string_view& line);

  // Of the line given last: counted from 1; whether it was cut.
  std::int64_t number() const { return number_; }
  bool was_cut() const { return was_cut_; }

  // "file:17: "
  std::string place() const;

 private:
  bool refill();
  void to_front();
  void give(std::string_view& line, std::size_t end, std::size_t used);
  void skip_rest();

  TextSource& source_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::int64_t number_ = 0;
  bool was_cut_ = false;
};

}  // namespace hyades
