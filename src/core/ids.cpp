#include "core/ids.hpp"

#include <charconv>

namespace hyades {

std::string to_string(const LaunchKey& key) {
  return std::to_string(key.job) + '.' + std::to_string(key.attempt) + '.' +
         std::to_string(key.sequence);
}

namespace {

// Reads a decimal number without sign or leading zeros and moves `at` behind it.
template <typename T>
bool read_number(const char*& at, const char* end, T& value) {
  const auto [next, error] = std::from_chars(at, end, value);
  if (error != std::errc() || (next - at > 1 && *at == '0')) return false;
  at = next;
  return true;
}

bool read_dot(const char*& at, const char* end) { return at != end && *at++ == '.'; }

}  // namespace

bool parse_launch_key(const std::string& text, LaunchKey& key) {
  LaunchKey parsed;
  const char* at = text.data();
  const char* const end = at + text.size();
  const bool ok = read_number(at, end, parsed.job) && read_dot(at, end) &&
                  read_number(at, end, parsed.attempt) && read_dot(at, end) &&
                  read_number(at, end, parsed.sequence) && at == end;
  if (ok) key = parsed;
  return ok;
}

}  // namespace hyades
