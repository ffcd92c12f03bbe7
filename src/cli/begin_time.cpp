#include "cli/begin_time.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ctime>

namespace hyades {
namespace {

constexpr const char* kHelp =
    "not a time; use now+1hour, 16:00, tomorrow, 2030-01-31 or 2030-01-31T08:00:00";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// sscanf with a check that the whole text was read; `format` ends with %n into `end`.
template <typename... Numbers>
bool scan(const std::string& text, const char* format, Numbers*... numbers) {
  int end = 0;
  const int count = std::sscanf(text.c_str(), format, numbers..., &end);
  return count == static_cast<int>(sizeof...(numbers)) && end == static_cast<int>(text.size()) &&
         text.find_first_of(" \t\n") == std::string::npos &&
         text.find_first_of("+") == std::string::npos;
}

bool valid_clock(int hour, int minute, int second) {
  return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
}

// "16:00", "16:00:30", "4:00pm"
bool parse_clock(const std::string& text, std::tm& when) {
  std::string digits = text;
  int shift = -1;  // hours to add for pm; -1: 24-hour clock
  if (digits.size() > 2 && (digits.ends_with("am") || digits.ends_with("pm"))) {
    shift = digits.ends_with("pm") ? 12 : 0;
    digits.resize(digits.size() - 2);
  }
  int hour = 0, minute = 0, second = 0;
  if (!scan(digits, "%2d:%2d%n", &hour, &minute)) {
    minute = 0;
    if (!scan(digits, "%2d:%2d:%2d%n", &hour, &minute, &second)) return false;
  }
  if (shift >= 0) {
    if (hour < 1 || hour > 12) return false;
    hour = hour % 12 + shift;
  }
  if (!valid_clock(hour, minute, second)) return false;
  when.tm_hour = hour;
  when.tm_min = minute;
  when.tm_sec = second;
  return true;
}

bool valid_day(std::tm& when, int year, int month, int day) {
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) return false;
  when.tm_year = year - 1900;
  when.tm_mon = month - 1;
  when.tm_mday = day;
  return true;
}

bool parse_day(const std::string& text, std::tm& when) {
  int year = 0, month = 0, day = 0;
  if (scan(text, "%4d-%2d-%2d%n", &year, &month, &day)) return valid_day(when, year, month, day);
  if (scan(text, "%2d/%2d/%2d%n", &month, &day, &year) && text.size() <= 8) {
    return valid_day(when, 2000 + year, month, day);
  }
  if (scan(text, "%2d/%2d/%4d%n", &month, &day, &year)) return valid_day(when, year, month, day);
  const bool digits = text.size() == 6 && text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && scan(text, "%2d%2d%2d%n", &month, &day, &year)) {
    return valid_day(when, 2000 + year, month, day);
  }
  return false;
}

std::int64_t unit_seconds(const std::string& unit) {
  if (unit.empty() || unit == "s" || unit == "second" || unit == "seconds") return 1;
  if (unit == "m" || unit == "minute" || unit == "minutes" || unit == "min") return 60;
  if (unit == "h" || unit == "hour" || unit == "hours") return 3600;
  if (unit == "d" || unit == "day" || unit == "days") return 86400;
  if (unit == "w" || unit == "week" || unit == "weeks") return 7 * 86400;
  return 0;
}

// "+1hour"
bool parse_offset(const std::string& text, WallMs& offset_ms) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return false;
  const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
  if (end == 1 || end > 10) return false;
  const std::int64_t seconds = unit_seconds(text.substr(end));
  if (seconds == 0) return false;
  offset_ms = std::stoll(text.substr(1, end - 1)) * seconds * 1000;
  if (text[0] == '-') offset_ms = -offset_ms;
  return true;
}

std::tm local_day(WallMs now_ms) {
  const std::time_t now = static_cast<std::time_t>(now_ms / 1000);
  std::tm when{};
  localtime_r(&now, &when);
  when.tm_hour = when.tm_min = when.tm_sec = 0;
  when.tm_isdst = -1;  // mktime finds out, for the day that is meant
  return when;
}

bool finish(std::tm when, bool utc, WallMs& out) {
  const std::time_t seconds = utc ? timegm(&when) : std::mktime(&when);
  if (seconds < 0) return false;
  out = WallMs{seconds} * 1000;
  return true;
}

bool parse_clock_word(const std::string& word, std::tm& when) {
  if (word == "noon") {
    when.tm_hour = 12;
  } else if (word == "teatime") {
    when.tm_hour = 16;
  } else if (word == "midnight") {
    when.tm_hour = 0;
  } else {
    return parse_clock(word, when);
  }
  return true;
}

}  // namespace

std::string parse_point_in_time(const std::string& text, WallMs now_ms, bool future, WallMs& out) {
  if (text.size() > 64) return kHelp;
  const std::string word = lower(text);
  if (word.rfind("now", 0) == 0) {
    WallMs offset_ms = 0;
    if (word.size() > 3 && !parse_offset(word.substr(3), offset_ms)) {
      return "not a time; after 'now' comes +COUNT and seconds, minutes, hours, days or weeks";
    }
    out = now_ms + offset_ms;
    return "";
  }
  std::tm when = local_day(now_ms);
  if (word == "today") return finish(when, false, out) ? "" : kHelp;
  if (word == "tomorrow") {
    ++when.tm_mday;
    return finish(when, false, out) ? "" : kHelp;
  }
  if (parse_clock_word(word, when)) {
    if (!finish(when, false, out)) return kHelp;
    if (future && out < now_ms) {
      ++when.tm_mday;
      finish(when, false, out);
    }
    return "";
  }
  const std::size_t separator = word.find('t');
  const bool utc = word.ends_with("z");
  const std::string whole = utc ? word.substr(0, word.size() - 1) : word;
  if (!parse_day(whole.substr(0, separator), when)) return kHelp;
  if (separator != std::string::npos && !parse_clock(whole.substr(separator + 1), when)) {
    return kHelp;
  }
  return finish(when, utc, out) ? "" : kHelp;
}

}  // namespace hyades
