#include "worker/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string>

#include "wire/unique_fd.hpp"

namespace hyades {
namespace {

// Field numbers of proc(5), counted from the state, which follows the name.
enum {
  state_field = 0,
  parent_field,
  group_field,
  session_field,
  terminal_field,
  start_field = 19
};

enum class Look { Seen, Gone, Failed };

Look look_at(const std::string& pid, Process& out) {
  const std::string path = "/proc/" + pid + "/stat";
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t size = file ? read(file.get(), text, sizeof text) : -1;
  if (size < 0) return is_gone_or_hidden(errno) ? Look::Gone : Look::Failed;
  return parse_stat({text, static_cast<std::size_t>(size)}, out) ? Look::Seen : Look::Failed;
}

template <typename T>
bool to_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool is_gone_or_hidden(int error) {
  return error == ENOENT || error == ESRCH || error == EACCES || error == EPERM;
}

bool parse_stat(std::string_view text, Process& out) {
  // The name may hold anything, parentheses and spaces included; the last ')' ends it.
  const std::size_t open = text.find(" (");
  const std::size_t close = text.rfind(") ");
  if (open == text.npos || close == text.npos || !to_number(text.substr(0, open), out.pid)) {
    return false;
  }
  out.name = text.substr(open + 2, close - open - 2);
  text.remove_prefix(close + 2);
  std::vector<std::string_view> fields;
  while (fields.size() <= start_field && !text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    fields.push_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  long long start = 0;
  if (fields.size() <= start_field || !to_number(fields[parent_field], out.parent) ||
      !to_number(fields[group_field], out.group) ||
      !to_number(fields[session_field], out.session) ||
      !to_number(fields[terminal_field], out.terminal) || !to_number(fields[start_field], start)) {
    return false;
  }
  out.start_ms = start * 1000 / sysconf(_SC_CLK_TCK);
  out.zombie = fields[state_field] == "Z" || fields[state_field] == "X";
  return true;
}

bool read_processes(std::vector<Process>& out) {
  out.clear();
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return false;
  bool complete = true;
  errno = 0;
  while (const dirent* entry = readdir(proc)) {
    Process process;
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
      const Look look = look_at(entry->d_name, process);
      if (look == Look::Seen) out.push_back(process);
      complete = complete && look != Look::Failed;
    }
    errno = 0;
  }
  complete = complete && errno == 0;  // else the list ended early
  closedir(proc);
  return complete;
}

std::vector<Process> read_processes() {
  std::vector<Process> result;
  read_processes(result);
  return result;
}

std::vector<Process> descendants(const std::vector<Process>& all, pid_t ancestor) {
  std::vector<Process> by_parent = all;
  const auto parent_less = [](const Process& a, const Process& b) { return a.parent < b.parent; };
  std::sort(by_parent.begin(), by_parent.end(), parent_less);
  std::vector<Process> result;
  std::vector<pid_t> parents = {ancestor};
  for (std::size_t i = 0; i < parents.size() && parents.size() <= all.size() + 1; ++i) {
    Process probe;
    probe.parent = parents[i];
    const auto [first, last] =
        std::equal_range(by_parent.begin(), by_parent.end(), probe, parent_less);
    for (auto child = first; child != last; ++child) {
      parents.push_back(child->pid);
      result.push_back(*child);
    }
  }
  return result;
}

void signal_process(const Process& process, int signal) {
  UniqueFd handle(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
  // From here on the pid in the handle cannot change hands: is it still the one that was meant?
  Process now;
  if (!handle || look_at(std::to_string(process.pid), now) != Look::Seen) return;
  if (now.start_ms != process.start_ms) return;
  syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0);
}

}  // namespace hyades
