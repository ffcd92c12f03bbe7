#include "trace/line_reader.hpp"

#include <cstring>

namespace hyades {
namespace {

// So much that a line too long is known as one, and some more.
constexpr std::size_t buffer_bytes = LineReader::line_bytes_max * 3 / 2;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

}  // namespace

LineReader::LineReader(TextSource& source)
    : source_(source), buffer_(std::make_unique_for_overwrite<char[]>(buffer_bytes)) {}

bool LineReader::next(std::string_view& line) {
  std::size_t seen = 0;  // of the line, without an end in it
  while (true) {
    const char* from = buffer_.get() + begin_ + seen;
    const std::size_t left = end_ - begin_ - seen;
    if (const void* newline = left == 0 ? nullptr : std::memchr(from, '\n', left)) {
      const std::size_t end = static_cast<const char*>(newline) - buffer_.get();
      give(line, end, end + 1);
      return true;
    }
    seen += left;
    to_front();
    if (seen > line_bytes_max) {
      give(line, end_, end_);
      skip_rest();
      return true;
    }
    if (refill()) continue;
    if (seen > 0) give(line, end_, end_);
    return seen > 0;
  }
}

std::string LineReader::place() const {
  return source_.name() + ":" + std::to_string(number_) + ": ";
}

void LineReader::to_front() {
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

bool LineReader::refill() {
  const std::size_t got = source_.read(buffer_.get() + end_, buffer_bytes - end_);
  end_ += got;
  return got > 0;
}

void LineReader::give(std::string_view& line, std::size_t end, std::size_t used) {
  line = {buffer_.get() + begin_, end - begin_};
  begin_ = used;
  was_cut_ = line.size() > line_bytes_max;
  line = line.substr(0, line_bytes_max);
  if (!was_cut_ && line.ends_with('\r')) line.remove_suffix(1);
  if (++number_ == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(3);
}

// To the end of a line that was given cut. Its beginning, which was given, stays where it is: it is
// at the front of the buffer, and so further back is room to read the rest into.
void LineReader::skip_rest() {
  char* const scratch = buffer_.get() + line_bytes_max;
  const std::size_t room = buffer_bytes - line_bytes_max;
  while (true) {
    const std::size_t got = source_.read(scratch, room);
    if (got == 0) break;
    if (const void* newline = std::memchr(scratch, '\n', got)) {
      begin_ = static_cast<const char*>(newline) + 1 - buffer_.get();
      end_ = scratch + got - buffer_.get();
      return;
    }
  }
  begin_ = end_ = 0;
}

}  // namespace hyades
