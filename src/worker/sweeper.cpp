#include "worker/sweeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <vector>

#include "wire/unique_fd.hpp"
#include "worker/boot_clock.hpp"
#include "worker/process_table.hpp"

namespace hyades {
namespace {

constexpr BootMs tick_ms = 10;  // process start times are that coarse
constexpr std::size_t environment_bytes_max = 4 << 20;

std::string read_environment(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[16384];
  while (file && text.size() < environment_bytes_max) {
    const ssize_t size = read(file.get(), buffer, sizeof buffer);
    if (size <= 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text;
}

bool has_mark(pid_t pid, const std::string& mark) {
  const std::string environment = '\0' + read_environment(pid);
  return environment.find('\0' + mark + '\0') != environment.npos;
}

bool may_kill(pid_t pid) {
  struct stat info = {};
  const std::string path = "/proc/" + std::to_string(pid);
  return geteuid() == 0 || (stat(path.c_str(), &info) == 0 && info.st_uid == geteuid());
}

// Whether that session is still the one the launch had.
bool is_launch_session(const std::vector<Process>& all, const StartedLine& started) {
  for (const Process& process : all) {
    if (process.pid != started.job_pid) continue;
    return process.start_ms >= started.from_ms - tick_ms &&
           process.start_ms <= started.until_ms + tick_ms;
  }
  return true;  // without its leader
}

class Search {
 public:
  explicit Search(const Remains& remains) : remains_(remains), all_(read_processes()) {
    session_is_ours_ = remains.started && is_launch_session(all_, *remains.started);
    for (const Process& process : all_) {
      if (is_marked(process)) add(process);
    }
  }

  const std::vector<Process>& found() const { return found_; }

 private:
  bool is_marked(const Process& process) const {
    if (process.pid == getpid() || process.zombie || !may_kill(process.pid)) return false;
    return is_in_session(process) || has_mark(process.pid, remains_.mark);
  }

  bool is_in_session(const Process& process) const {
    return session_is_ours_ && process.session == remains_.started->job_pid &&
           process.terminal == 0 && process.start_ms >= remains_.started->from_ms - tick_ms;
  }

  void add(const Process& process) {
    if (!known_.insert(process.pid).second) return;
    found_.push_back(process);
    for (const Process& below : descendants(all_, process.pid)) {
      if (!below.zombie && known_.insert(below.pid).second) found_.push_back(below);
    }
  }

  const Remains& remains_;
  std::vector<Process> all_;
  bool session_is_ours_ = false;
  std::set<pid_t> known_;
  std::vector<Process> found_;
};

}  // namespace

bool sweep_remains(const Remains& remains, int most_ms) {
  const BootMs deadline = boot_now_ms() + most_ms;
  while (true) {
    const Search search(remains);
    if (search.found().empty()) return true;
    for (const Process& process : search.found()) signal_process(process, SIGKILL);
    if (boot_now_ms() >= deadline) return false;
    poll(nullptr, 0, 2);
  }
}

}  // namespace hyades
