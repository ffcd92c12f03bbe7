// The log of a simulated run: always hashed, so that two runs of one seed can be compared, and
// printed when somebody wants to read it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "core/checksum.hpp"

namespace hyades {

class Trace {
 public:
  // `out`: where lines are printed to; nullptr: nowhere.
  explicit Trace(std::FILE* out = nullptr) : out_(out) {}

  void line(std::int64_t now_ms, const std::string& text) {
    sum_.add(now_ms).add(text);
    ++lines_;
    if (out_) {
      std::fprintf(out_, "%12.3f %s\n", static_cast<double>(now_ms) / 1000, text.c_str());
      std::fflush(out_);
    }
  }

  std::uint64_t hash() const { return static_cast<std::uint64_t>(sum_.value()); }
  std::uint64_t lines() const { return lines_; }
  // For lines that are worth their making only when somebody reads them.
  bool printing() const { return out_ != nullptr; }
  void print(std::int64_t now_ms, const std::string& text) const {
    if (out_)
      std::fprintf(out_, "%12.3f   . %s\n", static_cast<double>(now_ms) / 1000, text.c_str());
  }

 private:
  std::FILE* out_;
  Checksum sum_;
  std::uint64_t lines_ = 0;
};

}  // namespace hyades
