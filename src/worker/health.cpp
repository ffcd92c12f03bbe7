#include "worker/health.hpp"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace hyades {
namespace {

void judge_space(const FreeSpace& space, MiB least_mib, std::vector<std::string>& complaints) {
  if (space.read_only) {
    complaints.push_back("the file system of " + space.place + " is read-only");
  } else if (space.free_mib < least_mib) {
    complaints.push_back("less than " + std::to_string(least_mib) + " MiB free in " + space.place);
  }
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

// "MemAvailable:    1234 kB"
std::optional<MiB> read_available_memory(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  MiB amount_kib = 0;
  for (std::string unit; file >> name; file.ignore(256, '\n')) {
    if (name == "MemAvailable:" && file >> amount_kib) return amount_kib / 1024;
  }
  return std::nullopt;
}

// "0.12 0.34 0.56 1/234 5678": of the last 1, 5 and 15 minutes.
std::optional<double> read_load(const std::string& path) {
  std::ifstream file(path);
  double load[3];
  if (file >> load[0] >> load[1] >> load[2]) return load[2];
  return std::nullopt;
}

}  // namespace

std::string judge_health(const HealthFacts& facts, const NodeSettings& settings) {
  std::vector<std::string> complaints;
  if (settings.health_disk_free_mib > 0) {
    for (const FreeSpace& space : facts.space) {
      judge_space(space, settings.health_disk_free_mib, complaints);
    }
  }
  if (facts.memory_available_mib.value_or(settings.health_memory_free_mib) <
      settings.health_memory_free_mib) {
    complaints.push_back("less than " + std::to_string(settings.health_memory_free_mib) +
                         " MiB of memory available");
  }
  if (settings.health_load_per_core > 0 &&
      facts.load.value_or(0) > double{1} * settings.health_load_per_core * facts.cores) {
    complaints.push_back("the load is above " + std::to_string(settings.health_load_per_core) +
                         " a core");
  }
  if (settings.health_clock_off_s > 0 &&
      std::abs(facts.clock_off_ms) > WallMs{settings.health_clock_off_s} * 1000) {
    complaints.push_back("the clock is more than " + std::to_string(settings.health_clock_off_s) +
                         " s " + (facts.clock_off_ms > 0 ? "ahead of" : "behind") +
                         " the master's");
  }
  return joined(complaints);
}

HealthFacts measure_health(const std::vector<std::string>& directories, const std::string& meminfo,
                           const std::string& loadavg) {
  HealthFacts facts;
  for (const std::string& place : directories) {
    struct statvfs info = {};
    if (statvfs(place.c_str(), &info) != 0) continue;
    const auto free_mib = static_cast<MiB>(info.f_bavail * info.f_frsize / (1 << 20));
    facts.space.push_back({place, free_mib, (info.f_flag & ST_RDONLY) != 0});
  }
  facts.memory_available_mib = read_available_memory(meminfo);
  facts.load = read_load(loadavg);
  facts.cores = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  return facts;
}

}  // namespace hyades
