#include "worker/sweeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <set>
#include <vector>

#include "wire/unique_fd.hpp"
#include "worker/boot_clock.hpp"
#include "worker/job_environment.hpp"
#include "worker/process_table.hpp"
#include "worker/record_lock.hpp"

namespace hyades {
namespace {

constexpr BootMs tick_ms = 10;  // process start times are that coarse
constexpr std::size_t environment_bytes_max = 4 << 20;

// False: it could not be read, though the process is there.
bool read_environment(pid_t pid, std::string& text) {
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return is_gone_or_hidden(errno);
  char buffer[16384];
  while (text.size() < environment_bytes_max) {
    const ssize_t size = read(file.get(), buffer, sizeof buffer);
    if (size < 0) return is_gone_or_hidden(errno);
    if (size == 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return true;
}

bool belongs_to(pid_t pid, uid_t uid) {
  struct stat info = {};
  const std::string path = "/proc/" + std::to_string(pid);
  return stat(path.c_str(), &info) == 0 && info.st_uid == uid;
}

bool may_kill(pid_t pid) { return geteuid() == 0 || belongs_to(pid, geteuid()); }

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
  explicit Search(const Remains& remains) : remains_(remains) {
    complete_ = read_processes(all_);
    session_is_ours_ = remains.started && is_launch_session(all_, *remains.started);
    for (const Process& process : all_) {
      if (is_marked(process)) add(process);
    }
  }

  const std::vector<Process>& found() const { return found_; }
  // Whether finding nothing means that nothing is there.
  bool complete() const { return complete_; }

 private:
  bool is_marked(const Process& process) {
    if (process.pid == getpid() || process.zombie || !may_kill(process.pid)) return false;
    return is_in_session(process) || has_mark(process.pid);
  }

  bool has_mark(pid_t pid) {
    std::string environment(1, '\0');
    complete_ = read_environment(pid, environment) && complete_;
    return environment.find('\0' + remains_.mark + '\0') != environment.npos;
  }

  bool is_in_session(const Process& process) const {
    if (remains_.spare_root && belongs_to(process.pid, 0)) return false;
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
  bool complete_ = false;
  bool session_is_ours_ = false;
  std::set<pid_t> known_;
  std::vector<Process> found_;
};

}  // namespace

bool read_remains(const std::string& spool_directory, const LaunchKey& key,
                  const std::string& cluster_id, Remains& remains) {
  remains.mark = launch_mark(cluster_id, key);
  const std::string path = spool_directory + '/' + to_string(key);
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return errno == ENOENT;
  std::string text;
  struct stat info = {};
  if (fstat(file.get(), &info) != 0 || !read_record(file.get(), text)) return false;
  remains.started = parse_record(text).started;
  remains.spare_root = info.st_uid != geteuid();
  return true;
}

bool sweep_remains(const Remains& remains, int most_ms) {
  const BootMs deadline = boot_now_ms() + most_ms;
  while (true) {
    const Search search(remains);
    if (search.found().empty() && search.complete()) return true;
    for (const Process& process : search.found()) signal_process(process, SIGKILL);
    if (boot_now_ms() >= deadline) return false;
    poll(nullptr, 0, 2);
  }
}

}  // namespace hyades
