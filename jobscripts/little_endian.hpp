#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace hyades::jobscripts {

template <typename T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Appends a 4- or 8-byte number, least significant byte first on every machine.
template <typename T>
void append_little_endian(std::string& out, T value) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const auto bits = std::bit_cast<BitsOf<T>>(value);
  for (unsigned i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(bits >> (8 * i)));
}

/// Reads what append_little_endian() wrote. The caller has checked that the bytes are there.
template <typename T>
T read_little_endian(std::string_view bytes, std::size_t at) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  BitsOf<T> bits = 0;
  for (unsigned i = 0; i < sizeof(T); ++i) {
    bits |= static_cast<BitsOf<T>>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return std::bit_cast<T>(bits);
}

}  // namespace hyades::jobscripts
