#include "worker/output_pattern.hpp"

#include <algorithm>
#include <optional>

namespace hyades {
namespace {

constexpr std::size_t width_max = 10;

std::string as_file_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

std::string padded(const std::string& digits, std::size_t width) {
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

// Nothing for letters without a meaning.
std::optional<std::string> value_of(char letter, std::size_t width, const LaunchOrder& order) {
  switch (letter) {
    case 'j':
    case 'J':
    case 'A':
      return padded(std::to_string(order.key.job), width);
    case 'a':
    case 'n':
    case 't':
      return padded("0", width);
    case 'b':
      return padded(std::to_string(order.key.job % 10), width);
    case 'r':
      return padded(std::to_string(order.restarts), width);
    case 'x':
      return as_file_name(order.spec.name);
    case 'u':
      return as_file_name(order.spec.user);
    case 'N':
      return as_file_name(order.own_share().node);
    case 's':
      return "batch";
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string expand_output_pattern(const std::string& pattern, const LaunchOrder& order) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size();) {
    std::size_t letter = i + 1;
    std::size_t width = 0;
    while (letter < pattern.size() && pattern[letter] >= '0' && pattern[letter] <= '9') {
      width = std::min(width_max, width * 10 + static_cast<std::size_t>(pattern[letter++] - '0'));
    }
    const bool is_pattern = pattern[i] == '%' && letter < pattern.size();
    if (const auto value = is_pattern ? value_of(pattern[letter], width, order) : std::nullopt) {
      path += *value;
      i = letter + 1;
    } else {
      path += pattern[i++];
    }
  }
  return path;
}

}  // namespace hyades
