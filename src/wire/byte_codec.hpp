// Fixed-format binary records between the parts of a node and of a step. Little and dull on
// purpose: the reading side may one day run as root. Integers are 64 bits, little endian; a string
// is its length and its bytes; a list is its count and its elements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hyades {

class ByteWriter {
 public:
  void put(std::uint64_t value);
  void put_signed(std::int64_t value) { put(static_cast<std::uint64_t>(value)); }
  void put(std::string_view text);
  void put(const std::vector<std::string>& list);

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Every get fails (false) from the first malformed field on; nothing is allocated for a length or
// a count that the remaining bytes cannot hold.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool get(std::uint64_t& value);
  bool get_int(int& value, int lowest, int highest);
  bool get(std::string& text, std::size_t size_max);
  bool get(std::vector<std::string>& list, std::size_t count_max, std::size_t size_max);
  // What is left, up to the end.
  std::string_view rest() const { return rest_; }
  bool at_end() const { return !failed_ && rest_.empty(); }

 private:
  bool fail();

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace hyades
