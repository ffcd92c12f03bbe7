#include "trace/swf_header.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace hyades {
namespace {

constexpr std::size_t text_max = 200;
constexpr std::size_t names_max = 1000;
constexpr std::int64_t number_max = 1'000'000'000'000;

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// A number, and perhaps words behind it, as in "MaxNodes: 1024 (8 cores each)".
bool set_number(std::int64_t& field, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = end == value.data() + value.size() || *end == ' ' || *end == '\t' ||
                     *end == ',' || *end == ';' || *end == '(';
  if (error != std::errc() || !whole || number < 0 || number > number_max) return false;
  if (field == 0) field = number;
  return true;
}

bool set_text(std::string& field, std::string_view value) {
  if (field.empty()) field = header_text(value);
  return true;
}

// "Queue: 1 batch"; other words under this key are for people.
bool set_name(std::map<int, std::string>& names, std::string_view value) {
  int number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::size_t used = static_cast<std::size_t>(end - value.data());
  const std::string_view name = trim(value.substr(used));
  const bool apart = used < value.size() && (*end == ' ' || *end == '\t');
  if (error != std::errc() || number < 0 || !apart || name.empty()) return true;
  if (names.size() >= names_max) return names.contains(number);
  names.emplace(number, header_text(name));
  return true;
}

}  // namespace

bool SwfHeader::take(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of("; \t"), line.size()));
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return true;  // words for people
  const std::string_view key = trim(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (key == "Computer") return set_text(computer, value);
  if (key == "Installation") return set_text(installation, value);
  if (key == "TimeZoneString") return set_text(time_zone, value);
  if (key == "MaxProcs") return set_number(max_procs, value);
  if (key == "MaxNodes") return set_number(max_nodes, value);
  if (key == "UnixStartTime") return set_number(unix_start_s, value);
  if (key == "Queue") return set_name(queues, value);
  if (key == "Partition") return set_name(partitions, value);
  return true;
}

std::string header_text(std::string_view text) {
  std::string line(text.substr(0, text_max));
  for (char& character : line) {
    if (character < ' ' || character > '~') character = '?';
  }
  return line;
}

}  // namespace hyades
