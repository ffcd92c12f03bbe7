// The log of a simulated run: always hashed, so that two runs of one seed can be compared, and
// printed when somebody wants to read it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace hyades {

class Trace {
 public:
  // `out`: where lines are printed to; nullptr: nowhere.
  explicit Trace(std::FILE* out = nullptr) : out_(out) {}

  void line(std::int64_t now_ms, const std::string& text) {
    add(std::to_string(now_ms));
    add(text);
    ++lines_;
    if (out_) {
      std::fprintf(out_, "%12.3f %s\n", static_cast<double>(now_ms) / 1000, text.c_str());
      std::fflush(out_);
    }
  }

  std::uint64_t hash() const { return hash_; }
  std::uint64_t lines() const { return lines_; }
  // For lines that are worth their making only when somebody reads them.
  bool printing() const { return out_ != nullptr; }
  void print(std::int64_t now_ms, const std::string& text) const {
    if (out_)
      std::fprintf(out_, "%12.3f   . %s\n", static_cast<double>(now_ms) / 1000, text.c_str());
  }

 private:
  void add(const std::string& text) {  // FNV-1a
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    hash_ = (hash_ ^ 0xff) * 0x100000001b3u;
  }

  std::FILE* out_;
  std::uint64_t hash_ = 0xcbf29ce484222325u;
  std::uint64_t lines_ = 0;
};

}  // namespace hyades
