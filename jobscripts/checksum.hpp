#pragma once

#include <cstdint>
#include <string_view>

namespace hyades::jobscripts {

/// FNV-1a, 64 bits. Every step is a bijection of the state, so a change of any one byte always
/// changes the result. It guards against damage, not against an attacker.
constexpr std::uint64_t fnv1a64(std::string_view bytes, std::uint64_t state = 0xcbf29ce484222325U) {
  for (const char byte : bytes) {
    state = (state ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }
  return state;
}

/// The checksum of an array of trivially copyable values, as they lie in memory.
template <typename Array>
std::uint64_t checksum_of(const Array& values) {
  return fnv1a64({reinterpret_cast<const char*>(values.data()),
                  values.size() * sizeof(typename Array::value_type)});
}

}  // namespace hyades::jobscripts
