#include "process_meter.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hyades {

namespace {

std::string proc_path(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The words of /proc/PID/stat from the state on: the name before it may hold anything.
std::vector<std::string> stat_fields(pid_t pid) {
  const std::string text = read_file(proc_path(pid, "stat"));
  const std::size_t close = text.rfind(") ");
  std::vector<std::string> fields;
  if (close == text.npos) return fields;
  std::istringstream words(text.substr(close + 2));
  for (std::string word; words >> word;) fields.push_back(word);
  return fields;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (pid <= 0) continue;
    const auto fields = stat_fields(pid);
    if (fields.size() > 1 && std::atoi(fields[1].c_str()) == parent) children.push_back(pid);
  }
  return children;
}

CpuTime cpu_time(pid_t pid) {
  CpuTime time;
  const auto fields = stat_fields(pid);
  if (fields.size() > 12) {
    const double ticks = std::atof(fields[11].c_str()) + std::atof(fields[12].c_str());
    time.ticks_s = ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(proc_path(pid, "task"), error)) {
    time.scheduler_s += std::atof(read_file(task.path() / "schedstat").c_str()) / 1e9;
  }
  return time;
}

double cpu_between(const CpuTime& from, const CpuTime& to) {
  return std::max(to.ticks_s - from.ticks_s, to.scheduler_s - from.scheduler_s);
}

MemoryUse memory_use(pid_t pid) {
  MemoryUse use;
  std::istringstream lines(read_file(proc_path(pid, "smaps_rollup")));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t value = 0;
    words >> name >> value;
    if (name == "Rss:") use.rss_kib = value;
    if (name == "Pss:") use.pss_kib = value;
  }
  return use;
}

}  // namespace hyades
