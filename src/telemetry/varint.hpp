// Whole numbers in as few bytes as they need: seven bits a byte, the lowest first (LEB128). Signed
// ones are folded so that small ones of either sign stay small: 0, -1, 1, -2 become 0, 1, 2, 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hyades {

constexpr std::size_t kVarintBytesMax = 10;

inline void put_varint(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

// Takes a number off the front. False for one that is cut off, does not fit or is written longer
// than it needs: each number has one form, so equal values are equal bytes.
inline bool get_varint(std::string_view& bytes, std::uint64_t& value) {
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < bytes.size() && i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (i + 1 == kVarintBytesMax && byte > 1) return false;
    result |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte & 0x80) continue;
    if (byte == 0 && i > 0) return false;
    bytes.remove_prefix(i + 1);
    value = result;
    return true;
  }
  return false;
}

constexpr std::uint64_t fold_sign(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

constexpr std::int64_t unfold_sign(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
}

}  // namespace hyades
