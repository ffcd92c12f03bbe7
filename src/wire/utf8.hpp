#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hyades {

// How many bytes at the start of `text` are well-formed UTF-8 (whole characters only).
std::size_t valid_utf8_bytes(std::string_view text);

// A protobuf `string` must be UTF-8 or the receiver refuses the whole message: text that may hold
// anything (paths, a system's error texts) goes through this first. Each invalid byte becomes "?".
std::string to_utf8(std::string_view text);

}  // namespace hyades
