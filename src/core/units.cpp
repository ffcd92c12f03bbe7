#include "core/units.hpp"

#include <charconv>
#include <cstdio>
#include <limits>
#include <vector>

namespace hyades {
namespace {

// Digits only: from_chars alone would take a minus sign.
bool parse_number(const std::string& text, std::size_t begin, std::size_t end, std::int64_t& out) {
  if (begin >= end || text[begin] < '0' || text[begin] > '9') return false;
  const char* last = text.data() + end;
  const auto [at, error] = std::from_chars(text.data() + begin, last, out);
  return error == std::errc() && at == last;
}

// Splits `text` from `begin` on at ':' into numbers; false when one of them is none.
bool parse_fields(const std::string& text, std::size_t begin, std::vector<std::int64_t>& out) {
  while (true) {
    const std::size_t colon = text.find(':', begin);
    const std::size_t end = colon == std::string::npos ? text.size() : colon;
    std::int64_t number = 0;
    if (!parse_number(text, begin, end, number)) return false;
    out.push_back(number);
    if (colon == std::string::npos) return true;
    begin = colon + 1;
  }
}

}  // namespace

bool parse_duration_s(const std::string& text, int& seconds) {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  // A longer text cannot be a time, and may be a megabyte of somebody's mistake.
  if (text.size() > 40) return false;
  const std::size_t dash = text.find('-');
  std::int64_t days = 0;
  std::vector<std::int64_t> fields;
  if (dash != std::string::npos && !parse_number(text, 0, dash, days)) return false;
  if (!parse_fields(text, dash == std::string::npos ? 0 : dash + 1, fields)) return false;
  if (fields.size() > 3) return false;

  // What the first field means depends on the form: hours after a day, else by how many there are.
  if (dash == std::string::npos && fields.size() < 3) fields.insert(fields.begin(), 0);
  fields.resize(3, 0);
  for (const std::int64_t field : {days, fields[0], fields[1], fields[2]}) {
    if (field > most) return false;
  }
  const std::int64_t total = days * 86400 + fields[0] * 3600 + fields[1] * 60 + fields[2];
  if (total > most) return false;
  seconds = static_cast<int>(total);
  return true;
}

bool parse_memory_mib(const std::string& text, MiB& mib) {
  std::size_t end = text.size();
  if (end > 1 && (text[end - 1] == 'B' || text[end - 1] == 'b')) {
    --end;
    // "512B" would be bytes to some and is a mistake to sbatch.
    if (text[end - 1] >= '0' && text[end - 1] <= '9') return false;
  }
  std::int64_t factor = 1;
  bool kib = false;
  if (end > 1) {
    switch (text[end - 1]) {
      case 'K':
      case 'k':
        kib = true;
        --end;
        break;
      case 'M':
      case 'm':
        --end;
        break;
      case 'G':
      case 'g':
        factor = 1024;
        --end;
        break;
      case 'T':
      case 't':
        factor = 1024 * 1024;
        --end;
        break;
      default:
        break;
    }
  }
  std::int64_t number = 0;
  if (!parse_number(text, 0, end, number)) return false;
  if (number > std::numeric_limits<MiB>::max() / factor) return false;
  mib = kib ? number / 1024 + (number % 1024 != 0 ? 1 : 0) : number * factor;
  return true;
}

std::string format_duration(std::int64_t seconds) {
  if (seconds < 0) seconds = 0;
  const long long days = seconds / 86400;
  const long long hours = seconds / 3600 % 24;
  const long long minutes = seconds / 60 % 60;
  const long long rest = seconds % 60;
  char text[48];
  if (days != 0) {
    std::snprintf(text, sizeof text, "%lld-%02lld:%02lld:%02lld", days, hours, minutes, rest);
  } else if (hours != 0) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", hours, minutes, rest);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", minutes, rest);
  }
  return text;
}

std::string format_memory(MiB mib) {
  constexpr MiB gib = 1024;
  constexpr MiB tib = 1024 * gib;
  if (mib != 0 && mib % tib == 0) return std::to_string(mib / tib) + "T";
  if (mib != 0 && mib % gib == 0) return std::to_string(mib / gib) + "G";
  return std::to_string(mib) + "M";
}

}  // namespace hyades
