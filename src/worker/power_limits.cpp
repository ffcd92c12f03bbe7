#include "worker/power_limits.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "core/power_cap.hpp"
#include "wire/unique_fd.hpp"
#include "worker/cgroup_file.hpp"

namespace hyades {
namespace {

constexpr int kZonesMost = 1024;
constexpr int kConstraintsMost = 8;

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// The only line of a file; "" when it cannot be read.
std::string line_of(const std::string& path) {
  std::string text;
  read_cgroup_file(path, text);
  return text.substr(0, text.find('\n'));
}

template <typename T>
bool parse(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The number of a package in "package-0"; false for "package-0-die-1" and everything else.
bool parse_package(std::string_view name, int& package) {
  const std::string_view word = "package-";
  return name.starts_with(word) && parse(name.substr(word.size()), package) && package >= 0;
}

// The file of the limit that holds for longer than moments; "": there is none.
std::string limit_file(const std::string& zone) {
  for (int i = 0; i < kConstraintsMost; ++i) {
    const std::string constraint = zone + "/constraint_" + std::to_string(i);
    if (line_of(constraint + "_name") == "long_term") return constraint + "_power_limit_uw";
  }
  return "";
}

std::string why_not(const std::string& zone, PackageLimit& limit) {
  limit.file = limit_file(zone);
  if (limit.file.empty() || line_of(zone + "/enabled") != "1") {
    return zone + ": no long-term limit is in force";
  }
  if (!parse(line_of(limit.file), limit.usual_uw) || limit.usual_uw <= 0) {
    return limit.file + ": not a number of microwatts";
  }
  return access(limit.file.c_str(), W_OK) == 0 ? "" : limit.file + ": " + std::strerror(errno);
}

}  // namespace

std::string power_root() {
  const char* const root = std::getenv("HYADES_TELEMETRY_ROOT");
  return root == nullptr ? "" : root;
}

std::vector<PackageLimit> find_package_limits(const std::string& root, std::string& trouble) {
  const std::string zones = root + "/sys/class/powercap/intel-rapl:";
  std::vector<PackageLimit> limits;
  trouble.clear();
  for (int i = 0; i < kZonesMost && exists(zones + std::to_string(i)); ++i) {
    const std::string zone = zones + std::to_string(i);
    PackageLimit limit;
    if (!parse_package(line_of(zone + "/name"), limit.package)) continue;
    const std::string why = why_not(zone, limit);
    if (why.empty()) {
      limits.push_back(std::move(limit));
    } else {
      trouble = why;
    }
  }
  if (limits.empty() && trouble.empty()) trouble = zones + "*: no package that can be capped";
  return limits;
}

PowerLimits::PowerLimits(const std::string& root) : memory_(root + "/run/hyades-power-limits") {
  // Before the limits are looked at: whoever was here may be restoring them at this moment, and
  // what is lowered still would be taken for all that there is.
  std::string left;
  read_cgroup_file(memory_, left);
  std::string others;
  limits_ = find_package_limits(root, others);
  restore(std::move(left));
}

PowerLimits::~PowerLimits() {
  for (const PackageLimit& limit : limits_) set(limit.package, 100);
}

// Whoever was here before may have been killed with limits lowered. Lines of "microwatts file".
void PowerLimits::restore(std::string left) {
  for (std::size_t end = left.find('\n'); end != left.npos; end = left.find('\n')) {
    const std::string line = left.substr(0, end);
    left.erase(0, end + 1);
    const std::size_t blank = std::min(line.find(' '), line.size());
    long long usual_uw = 0;
    if (!parse(std::string_view(line).substr(0, blank), usual_uw)) continue;
    for (PackageLimit& limit : limits_) {
      if (line.substr(blank) != ' ' + limit.file || usual_uw <= limit.usual_uw) continue;
      limit.usual_uw = usual_uw;
      limit.percent = kPowerPercentLeast;  // at the most
      write_limit(limit, 100);
      if (limit.percent == 100) restored_ += (restored_.empty() ? "" : " ") + limit.file;
    }
  }
  if (nothing_to_remember()) unlink(memory_.c_str());
}

bool PowerLimits::nothing_to_remember() const {
  return std::none_of(limits_.begin(), limits_.end(),
                      [](const PackageLimit& limit) { return limit.percent < 100; });
}

void PowerLimits::write_memory() {
  std::string text;
  for (const PackageLimit& limit : limits_) {
    text += std::to_string(limit.usual_uw) + ' ' + limit.file + '\n';
  }
  const std::string next = memory_ + ".new";
  unlink(next.c_str());
  const UniqueFd file(
      open(next.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const bool written =
      file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (written && rename(next.c_str(), memory_.c_str()) == 0) return;
  trouble_ = memory_ + ": " + std::strerror(errno);
}

void PowerLimits::write_limit(PackageLimit& limit, int percent) {
  const std::string microwatts = std::to_string(limit.usual_uw * percent / 100);
  if (write_cgroup_file(limit.file, microwatts)) {
    limit.percent = percent;
  } else {
    trouble_ = limit.file + ": " + std::strerror(errno);
  }
}

std::string PowerLimits::set(int package, int percent) {
  const auto found = std::find_if(limits_.begin(), limits_.end(), [&](const PackageLimit& limit) {
    return limit.package == package;
  });
  if (found == limits_.end()) return "package-" + std::to_string(package) + " cannot be capped";
  if (percent < 100 && trouble_.empty()) write_memory();
  const bool may_be_written = percent < 100 ? trouble_.empty() : found->percent < 100;
  if (may_be_written) write_limit(*found, percent);
  if (nothing_to_remember()) unlink(memory_.c_str());
  return trouble_;
}

std::string PowerLimits::withheld() const {
  std::string packages;
  for (const PackageLimit& limit : limits_) {
    if (limit.percent == 100) continue;
    packages += (packages.empty() ? "" : ", ") + std::to_string(limit.package);
  }
  return packages.empty() ? "" : "package " + packages + " could not be given all power back yet";
}

}  // namespace hyades
