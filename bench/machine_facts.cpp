#include "machine_facts.hpp"

#include <sys/statfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "version.hpp"

namespace hyades {

namespace {

// The value of "name<blanks>: value" in a file of /proc; "unknown" without one.
std::string proc_field(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.compare(0, name.size(), name) != 0 || colon == line.npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == line.npos ? "" : line.substr(begin);
  }
  return "unknown";
}

std::string file_system(const std::string& directory) {
  struct statfs info {};
  if (statfs(directory.c_str(), &info) != 0) return "unknown";
  switch (info.f_type) {
    case 0xef53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683e:
      return "btrfs";
    case 0x01021994:
      return "tmpfs (nothing is durable there)";
    case 0x794c7630:
      return "overlayfs";
    default: {
      std::ostringstream text;
      text << "type 0x" << std::hex << info.f_type;
      return text.str();
    }
  }
}

struct CpuTicks {
  double idle = 0;
  double all = 0;
};

// Of all cores since the machine started.
CpuTicks cpu_ticks() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  CpuTicks ticks;
  double value = 0;
  // user nice system idle iowait irq softirq steal
  for (int field = 0; field < 8 && file >> value; ++field) {
    ticks.all += value;
    if (field == 3 || field == 4) ticks.idle += value;
  }
  return ticks;
}

std::string utc_now() {
  const time_t now = time(nullptr);
  tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

}  // namespace

std::string other_load() {
  const CpuTicks before = cpu_ticks();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const CpuTicks after = cpu_ticks();
  const double all = after.all - before.all;
  const double busy = all > 0 ? 100 * (1 - (after.idle - before.idle) / all) : 0;
  double averages[2] = {};
  if (getloadavg(averages, 2) != 2) return "unknown";
  char text[128];
  std::snprintf(text, sizeof text,
                "%.0f %% of the cores busy; load average %.1f (1 min), %.1f (5 min)", busy,
                averages[0], averages[1]);
  return text;
}

MachineFacts MachineFacts::collect(const std::string& directory) {
  MachineFacts facts;
  utsname system{};
  uname(&system);
  facts.add("date", utc_now());
  facts.add("hyades", std::string(kVersion));
  facts.add("processor", std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " x " +
                             proc_field("/proc/cpuinfo", "model name"));
  facts.add("memory", proc_field("/proc/meminfo", "MemTotal"));
  facts.add("kernel", std::string(system.sysname) + " " + system.release);
  facts.add("file system of the state", file_system(directory));
  facts.add("other load, before", other_load());
  return facts;
}

}  // namespace hyades
