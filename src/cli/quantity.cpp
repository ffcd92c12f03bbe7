#include "cli/quantity.hpp"

#include <cmath>
#include <cstdio>
#include <iterator>

#include "core/units.hpp"

namespace hyades {

std::string printed(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

namespace {

template <std::size_t N>
std::string scaled(double value, double step, const char* const (&units)[N]) {
  std::size_t at = 0;
  // What would be printed as 1024 is one of the next unit.
  while (at + 1 < N && std::abs(value) >= step - 0.5) {
    value /= step;
    ++at;
  }
  const std::string unit = units[at];
  return format_number(value) + (unit.empty() ? "" : " " + unit);
}

std::string counted(double value) {
  static constexpr const char* const units[] = {"", "k", "M", "G", "T", "P", "E"};
  if (std::abs(value) < 10'000) {
    return value == std::floor(value) ? printed("%.0f", value) : format_number(value);
  }
  return scaled(value, 1000, units);
}

std::string seconds(double value) {
  constexpr double most = 1e12;
  return std::abs(value) < most ? format_elapsed(static_cast<std::int64_t>(value * 1000))
                                : format_number(value) + " s";
}

}  // namespace

std::string format_quantity(double value, const std::string& unit) {
  static constexpr const char* const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  static constexpr const char* const rates[] = {"B/s",   "KiB/s", "MiB/s", "GiB/s",
                                                "TiB/s", "PiB/s", "EiB/s"};
  static constexpr const char* const mib[] = {"MiB", "GiB", "TiB", "PiB", "EiB"};
  static constexpr const char* const joules[] = {"J", "kJ", "MJ", "GJ", "TJ"};
  static constexpr const char* const watts[] = {"W", "kW", "MW", "GW"};
  static constexpr const char* const milliseconds[] = {"ms", "s"};
  if (!std::isfinite(value)) return "not measured";
  if (unit == "bytes") return scaled(value, 1024, bytes);
  if (unit == "bytes/s") return scaled(value, 1024, rates);
  if (unit == "MiB") return scaled(value, 1024, mib);
  if (unit == "J") return scaled(value, 1000, joules);
  if (unit == "W") return scaled(value, 1000, watts);
  if (unit == "s") return seconds(value);
  if (unit == "ms") return scaled(value, 1000, milliseconds);
  if (unit == "ns") return seconds(value / 1e9);
  if (unit == "%") return format_share(value / 100);
  if (unit.empty() || unit == "count") return counted(value);
  return counted(value) + " " + unit;
}

std::string format_quantity(const std::optional<double>& value, const std::string& unit) {
  return value ? format_quantity(*value, unit) : "not measured";
}

std::string format_share(const std::optional<double>& share) {
  if (!share || !std::isfinite(*share)) return "";
  const double percent = *share * 100;
  if (percent > 0 && percent < 0.95) return printed("%.1f %%", std::max(percent, 0.1));
  if (std::abs(percent) >= 1e6) return format_number(percent) + " %";
  return printed("%.0f %%", percent);
}

std::string format_number(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return "-";
  if (size == 0) return "0";
  if (size >= 1e7 || size < 0.0005) return printed("%.2g", value);
  if (size >= 99.95) return printed("%.0f", value);
  if (size >= 9.995) return printed("%.1f", value);
  return size >= 0.9995 ? printed("%.2f", value) : printed("%.3f", value);
}

std::string format_elapsed(std::int64_t ms) {
  if (ms > 0 && ms < 60'000) return printed("%.1f s", static_cast<double>(ms) / 1000);
  return format_duration(ms / 1000);
}

}  // namespace hyades
