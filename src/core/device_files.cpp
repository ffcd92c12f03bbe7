#include "core/device_files.hpp"

#include <charconv>

namespace hyades {
namespace {

constexpr int offset_max = 999'999;

// Where the place for the number is, and what is added to it.
struct Place {
  std::size_t begin = 0;
  std::size_t size = 0;  // 0: there is none
  int offset = 0;
};

Place find_place(const std::string& text) {
  const std::size_t begin = text.find('%');
  if (begin == text.npos || text.find('%', begin + 1) != text.npos) return {};
  const std::size_t end = text.find('d', begin);
  if (end == text.npos) return {};
  Place place{begin, end + 1 - begin, 0};
  const std::string between = text.substr(begin + 1, end - begin - 1);
  if (between.empty()) return place;
  const char* const last = between.data() + between.size();
  if (between.size() < 2 || between[0] != '+' || between[1] == '-') return {};
  const auto [stop, error] = std::from_chars(between.data() + 1, last, place.offset);
  if (error != std::errc() || stop != last || place.offset > offset_max) return {};
  return place;
}

}  // namespace

bool is_device_pattern(const std::string& text) {
  return text.starts_with('/') && find_place(text).size > 0;
}

std::string device_path(const std::string& pattern, int index) {
  const Place place = find_place(pattern);
  if (place.size == 0) return "";
  std::string path = pattern;
  return path.replace(place.begin, place.size, std::to_string(index + place.offset));
}

}  // namespace hyades
