#include "trace/sacct_fields.hpp"

#include <charconv>
#include <cmath>
#include <system_error>

namespace hyades {
namespace {

constexpr std::int64_t minute_s = 60;
constexpr std::int64_t hour_s = 3600;
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t days_max = 1'000'000;

// Reads a number of at most nine digits at the front; -1 where there is none.
std::int64_t eat_number(std::string_view& text) {
  int number = -1;
  if (text.starts_with('-')) return -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool eat(std::string_view& text, char character) {
  if (!text.starts_with(character)) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970 of a date of the Gregorian calendar, which repeats after 400 years.
std::int64_t day_number(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month <= 2) {
    --year;
    month += 12;
  }
  const std::int64_t of_years = 365 * year + year / 4 - year / 100 + year / 400;
  return of_years + (153 * (month - 3) + 2) / 5 + day - 1 - 719'468;
}

// K, M, G, T, P as KiB; 0 of another letter.
double unit_kib(char letter) {
  constexpr std::string_view letters = "KMGTP";
  const std::size_t at = letters.find(letter);
  return at == letters.npos ? 0 : std::ldexp(1.0, 10 * static_cast<int>(at));
}

}  // namespace

std::optional<std::int64_t> sacct_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> sacct_time_s(std::string_view text) {
  if (const auto seconds = sacct_number(text)) return seconds;
  const std::int64_t year = eat_number(text);
  if (!eat(text, '-')) return std::nullopt;
  const std::int64_t month = eat_number(text);
  if (!eat(text, '-')) return std::nullopt;
  const std::int64_t day = eat_number(text);
  if (!eat(text, 'T') && !eat(text, ' ')) return std::nullopt;
  const std::int64_t hour = eat_number(text);
  if (!eat(text, ':')) return std::nullopt;
  const std::int64_t minute = eat_number(text);
  if (!eat(text, ':')) return std::nullopt;
  const std::int64_t second = eat_number(text);
  const bool date =
      year >= 1970 && year <= 2200 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  const bool time =
      hour >= 0 && hour <= 24 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
  if (!date || !time || !text.empty()) return std::nullopt;
  return day_number(year, month, day) * day_s + hour * hour_s + minute * minute_s + second;
}

std::optional<std::int64_t> sacct_duration_s(std::string_view text) {
  std::int64_t days = 0;
  std::int64_t number = eat_number(text);
  if (number < 0) return std::nullopt;
  const bool has_days = eat(text, '-');
  if (has_days) {
    days = number;
    if (days > days_max || (number = eat_number(text)) < 0) return std::nullopt;
  }
  std::int64_t seconds = number;
  int parts = 1;
  for (; eat(text, ':'); ++parts) {
    if ((number = eat_number(text)) < 0) return std::nullopt;
    seconds = seconds * 60 + number;
  }
  if (eat(text, '.') && eat_number(text) < 0) return std::nullopt;
  // Slurm always prints minutes and seconds.
  if (!text.empty() || parts < 2 || parts > 3 || (has_days && parts != 3)) return std::nullopt;
  return days * day_s + seconds;
}

std::optional<std::int64_t> sacct_memory_kib(std::string_view text, std::int64_t procs,
                                             std::int64_t nodes) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || !(amount > 0)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const double unit = text.empty() ? unit_kib('M') : unit_kib(text.front());
  if (!text.empty()) text.remove_prefix(1);
  const bool of_node = text == "n";
  const bool of_processor = text == "c";
  if (unit == 0 || !(text.empty() || of_node || of_processor) || procs <= 0) return std::nullopt;
  double kib = amount * unit;
  if (of_node) kib *= static_cast<double>(nodes > 0 ? nodes : 1);
  if (!of_processor) kib /= static_cast<double>(procs);
  constexpr double kib_max = 1e15;
  if (kib > kib_max) return std::nullopt;
  return static_cast<std::int64_t>(std::ceil(kib));
}

std::optional<std::int64_t> sacct_job_number(std::string_view text) {
  return sacct_number(text.substr(0, text.find_first_of("_+[")));
}

int sacct_status(std::string_view state) {
  if (state == "COMPLETED") return 1;
  if (state.starts_with("CANCELLED")) return 5;
  for (const std::string_view failed :
       {"FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "PREEMPTED"}) {
    if (state == failed) return 0;
  }
  return -1;
}

}  // namespace hyades
