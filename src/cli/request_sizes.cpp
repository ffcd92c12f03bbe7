#include "cli/request_sizes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace hyades {
namespace {

double rounded_up(double value, double step) { return std::ceil(value / step - 1e-9) * step; }

}  // namespace

std::int64_t time_to_ask_s(double seconds) {
  constexpr double minute = 60, hour = 3600;
  // Whole hours, so that the bound is one as well.
  constexpr int most_hours = std::numeric_limits<int>::max() / 3600;
  constexpr double most = most_hours * hour;
  if (!(seconds < most)) return static_cast<std::int64_t>(most);
  const double step = seconds < hour ? 5 * minute : seconds < 12 * hour ? 15 * minute : hour;
  return static_cast<std::int64_t>(std::max(5 * minute, rounded_up(seconds, step)));
}

MiB memory_to_ask_mib(double mib) {
  constexpr double most = MiB{1} << 40;
  if (!(mib < most)) return static_cast<MiB>(most);
  return static_cast<MiB>(std::max(100.0, rounded_up(mib, mib < 10 * 1024 ? 100 : 1024)));
}

std::string time_option(std::int64_t seconds) {
  const std::int64_t day = 24 * 3600;
  const long long days = seconds / day, rest = seconds % day;
  char text[64];
  if (days > 0) {
    std::snprintf(text, sizeof text, "%lld-%02lld:%02lld:%02lld", days, rest / 3600, rest / 60 % 60,
                  rest % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", rest / 3600, rest / 60 % 60, rest % 60);
  }
  return text;
}

}  // namespace hyades
