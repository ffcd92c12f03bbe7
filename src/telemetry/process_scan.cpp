#include "telemetry/process_scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>

namespace hyades {

namespace {

// Of the numbers behind the name, which is in parentheses and may hold anything.
constexpr int kParent = 1;
constexpr int kUserTicks = 11;
constexpr int kSystemTicks = 12;
constexpr int kChildrensUserTicks = 13;
constexpr int kChildrensSystemTicks = 14;
constexpr int kThreads = 17;
constexpr int kResidentPages = 21;

bool is_number(const char* name) {
  for (; *name != '\0'; ++name) {
    if (*name < '0' || *name > '9') return false;
  }
  return true;
}

}  // namespace

bool parse_process_use(std::string_view text, ProcessUse& out) {
  static const double ticks_s = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const std::int64_t page_kib = sysconf(_SC_PAGESIZE) / 1024;
  const std::size_t name_end = text.rfind(')');
  if (name_end == text.npos ||
      std::from_chars(text.data(), text.data() + name_end, out.pid).ec != std::errc()) {
    return false;
  }
  std::int64_t fields[kResidentPages + 1] = {};
  const char* at = text.data() + name_end + 1;
  const char* const end = text.data() + text.size();
  for (int i = 0; i <= kResidentPages; ++i) {
    while (at != end && *at == ' ') ++at;
    if (at == end) return false;
    if (i == 0) {  // the state, a letter
      ++at;
      continue;
    }
    const auto [rest, error] = std::from_chars(at, end, fields[i]);
    if (error == std::errc::result_out_of_range) {
      fields[i] = 0;  // flags and the like; none that counts
    } else if (error != std::errc()) {
      return false;
    }
    at = rest;
  }
  out.parent = static_cast<pid_t>(fields[kParent]);
  out.cpu_s = static_cast<double>(fields[kUserTicks] + fields[kSystemTicks] +
                                  fields[kChildrensUserTicks] + fields[kChildrensSystemTicks]) /
              ticks_s;
  out.threads = static_cast<int>(fields[kThreads]);
  out.resident_kib = fields[kResidentPages] * page_kib;
  return true;
}

ProcessScan::ProcessScan(const std::string& root)
    : proc_(open((root + "/proc").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

ProcessScan::~ProcessScan() {
  if (proc_ >= 0) close(proc_);
}

bool ProcessScan::look() {
  children_.clear();
  count_ = 0;
  // A stream of its own for each look: it goes with the descriptor.
  const int again = proc_ < 0 ? -1 : openat(proc_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const entries = again < 0 ? nullptr : fdopendir(again);
  if (entries == nullptr) {
    if (again >= 0) close(again);
    return false;
  }
  char path[64];
  char text[1024];
  while (const dirent* entry = readdir(entries)) {
    if (!is_number(entry->d_name)) continue;
    std::snprintf(path, sizeof path, "%.20s/stat", entry->d_name);
    const int file = openat(proc_, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    const ssize_t size = read(file, text, sizeof text);
    close(file);
    ProcessUse use;
    if (size > 0 && parse_process_use({text, static_cast<std::size_t>(size)}, use)) {
      children_[use.parent].push_back(use);
      ++count_;
    }
  }
  closedir(entries);
  return true;
}

std::vector<ProcessUse> ProcessScan::below(pid_t ancestor) const {
  std::vector<ProcessUse> found;
  const auto add = [&](pid_t parent) {
    const auto children = children_.find(parent);
    if (children == children_.end()) return;
    found.insert(found.end(), children->second.begin(), children->second.end());
  };
  add(ancestor);
  // Pids are taken over by others while we look, so that there might be a circle.
  for (std::size_t i = 0; i < found.size() && found.size() <= count_; ++i) {
    if (found[i].pid != ancestor) add(found[i].pid);
  }
  return found;
}

}  // namespace hyades
