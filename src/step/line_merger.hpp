// Puts the output of many tasks together so that no line has another task's in its middle. Pure;
// one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace hyades {

class LineMerger {
 public:
  enum class Style {
    AsItComes,   // of a single task: nothing waits for the end of its line
    WholeLines,  // a line that is longer than line_bytes_max is passed on in pieces
    Labelled,    // the same, and "RANK: " before each; every line gets its end
  };
  static constexpr std::size_t line_bytes_max = 64u << 10;

  explicit LineMerger(Style style) : style_(style) {}

  // Appends to `out` what may be printed now.
  void add(int rank, int stream, std::string_view bytes, std::string& out);
  // What there is of a last line without an end.
  void end(int rank, int stream, std::string& out);

 private:
  void put_line(int rank, std::string_view line, std::string& out) const;

  Style style_;
  std::map<std::pair<int, int>, std::string> begun_;  // lines that have no end yet
};

}  // namespace hyades
