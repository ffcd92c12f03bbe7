#include "telemetry/fields.hpp"

#include <charconv>

namespace hyades {
namespace {

constexpr std::size_t longest_decimal = 20;   // 18 digits, a sign and a point
constexpr std::size_t longest_trouble = 400;  // bytes

template <typename T>
bool parse_whole(std::string_view text, T& value) {
  T result = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, result);
  if (error != std::errc() || stopped != end) return false;
  value = result;
  return true;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

}  // namespace

bool parse_count(std::string_view text, std::uint64_t& value) { return parse_whole(text, value); }

bool parse_integer(std::string_view text, std::int64_t& value) { return parse_whole(text, value); }

bool parse_decimal(std::string_view text, double& value) {
  const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
  if (text.size() <= first || text.size() > longest_decimal) return false;
  bool point = false;
  for (std::size_t i = first; i < text.size(); ++i) {
    if (is_digit(text[i])) continue;
    const bool between_digits = i > first && i + 1 < text.size();
    if (text[i] != '.' || point || !between_digits) return false;
    point = true;
  }
  double result = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, result, std::chars_format::fixed);
  if (error != std::errc() || stopped != end) return false;
  value = result;
  return true;
}

std::string_view next_word(std::string_view& text) {
  std::size_t begin = 0;
  while (begin < text.size() && is_blank(text[begin])) ++begin;
  std::size_t end = begin;
  while (end < text.size() && !is_blank(text[end])) ++end;
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

bool next_line(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return true;
}

bool line_after(std::string_view text, std::string_view key, std::string_view& rest) {
  std::string_view line;
  while (next_line(text, line)) {
    if (line.substr(0, key.size()) != key) continue;
    rest = line.substr(key.size());
    return true;
  }
  return false;
}

bool count_after(std::string_view text, std::string_view key, std::uint64_t& value) {
  std::string_view rest;
  return line_after(text, key, rest) && parse_count(next_word(rest), value);
}

std::string_view only_line(std::string_view text) { return text.substr(0, text.find('\n')); }

std::string metric_word(std::string_view text) {
  std::string word;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool allowed = is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
    word += allowed ? c : '_';
  }
  return word.empty() ? "_" : word;
}

void add_trouble(std::string& all, std::string_view more) {
  if (more.empty() || all.size() >= longest_trouble) return;
  if (!all.empty()) all += "; ";
  all += more;
  if (all.size() < longest_trouble) return;
  all.resize(longest_trouble - 3);
  all += "...";
}

}  // namespace hyades
