// Finds bytes that changed where nothing else sees it: inside of the values of a database, in a
// page that was read while it was written.
#pragma once

#include <cstdint>
#include <string_view>

namespace hyades {

// FNV-1a over 64 bits. Not a protection against people who want to deceive: they could write the
// sum as well.
class Checksum {
 public:
  // Adds the bytes and their number, so that ("ab", "c") and ("a", "bc") differ.
  Checksum& add(std::string_view bytes) {
    add(static_cast<std::int64_t>(bytes.size()));
    return add_alone(bytes);
  }
  // Without their number: where nothing else is summed up.
  Checksum& add_alone(std::string_view bytes) {
    for (const char c : bytes) add_byte(static_cast<unsigned char>(c));
    return *this;
  }
  Checksum& add(std::int64_t number) {
    for (int i = 0; i < 8; ++i) {
      add_byte(static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * i)));
    }
    return *this;
  }
  // Signed, as SQLite stores it.
  std::int64_t value() const { return static_cast<std::int64_t>(sum_); }

 private:
  void add_byte(unsigned char byte) { sum_ = (sum_ ^ byte) * 0x100000001b3u; }

  std::uint64_t sum_ = 0xcbf29ce484222325u;
};

}  // namespace hyades
