#include "cli/times.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace hyades {
namespace {

std::string date_and_time(const std::tm& when) {
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", when.tm_year + 1900,
                when.tm_mon + 1, when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec);
  return text;
}

}  // namespace

WallMs wall_now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string utc_time(WallMs at_ms) {
  if (at_ms <= 0) return "";
  const std::time_t seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm when{};
  if (gmtime_r(&seconds, &when) == nullptr) return "";
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(at_ms % 1000));
  return date_and_time(when) + fraction;
}

std::string local_time(WallMs at_ms, const std::string& missing) {
  if (at_ms <= 0) return missing;
  const std::time_t seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm when{};
  return localtime_r(&seconds, &when) == nullptr ? missing : date_and_time(when);
}

}  // namespace hyades
