// The job of the chaos tests: probe DIRECTORY LABEL MILLISECONDS [daemon] [task] [-- COMMAND...].
//
// Locks its label and each of its cores for life, writes that it started, works, writes that it
// ends, and exits with the code that its label stands for. With "daemon" it leaves a process behind
// that tries to escape. With COMMAND, which starts a step, that is the work, and its exit code is
// the probe's, too; as a "task" it is one of those that the step consists of.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "journal.hpp"
#include "probe_peers.hpp"

namespace {

using namespace hyades::test;

constexpr int kBroken = 250;  // no label stands for it
constexpr int kAlive_ms = 200;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// hrun's word or mpirun's; -1: neither's.
int number_of(const char* hruns, const char* mpiruns) {
  const std::string number = variable(mpiruns).empty() ? variable(hruns) : variable(mpiruns);
  return number.empty() ? -1 : std::atoi(number.c_str());
}

std::int64_t now_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

// Death takes no memory along, only a power cut would: signs of life need no sync.
void append(const std::string& directory, JournalLine line) {
  line.at_ns = now_ns(CLOCK_BOOTTIME);
  line.wall_ms = now_ns(CLOCK_REALTIME) / 1'000'000;
  const std::string text = to_text(line);
  const int file = open(journal_path(directory, line.node).c_str(),
                        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const bool written = file >= 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       (line.what == JournalLine::What::Alive || fsync(file) == 0);
  close(file);
  if (!written) std::_Exit(kBroken);
}

int open_lock(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) std::_Exit(kBroken);
  return file;
}

// False: somebody else holds it. The lock lasts as long as this process.
bool lock(const std::string& path) { return flock(open_lock(path), LOCK_EX | LOCK_NB) == 0; }

JournalLine facts(const std::string& label, bool task) {
  JournalLine line;
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::ifstream("/proc/sys/kernel/random/boot_id") >> line.boot_id;
  line.label = label;
  line.host = host;
  line.job = std::strtoull(variable("HYADES_JOB_ID").c_str(), nullptr, 10);
  line.attempt = std::atoi(variable("HYADES_ATTEMPT").c_str());
  if (task) line.task = number_of("RANK", "OMPI_COMM_WORLD_RANK");
  line.launch = variable("HYADES_LAUNCH");
  line.pid = getpid();
  line.node = variable("HYADES_NODENAME");
  line.cores = variable("HYADES_CORES");
  return line;
}

std::string attempt_lock(const std::string& directory, const JournalLine& line, int attempt) {
  return directory + "/lock.attempt." + line.label + "." + std::to_string(attempt);
}

// All processes of an attempt share its lock, so that one who belongs to another can see, on
// whatever node, whether any of them lives. Looking at a lock takes nothing.
bool another_attempt_lives(const std::string& directory, const JournalLine& line) {
  struct flock shared {};
  shared.l_type = F_RDLCK;
  const int own = open_lock(attempt_lock(directory, line, line.attempt));
  if (fcntl(own, F_OFD_SETLK, &shared) != 0) std::_Exit(kBroken);
  for (int other = line.attempt - 1; other > 0; --other) {
    const int file = open(attempt_lock(directory, line, other).c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) continue;  // it never started
    struct flock any {};
    any.l_type = F_WRLCK;
    if (fcntl(file, F_OFD_GETLK, &any) != 0) std::_Exit(kBroken);
    close(file);
    if (any.l_type != F_UNLCK) return true;
  }
  return false;
}

// The cores of a job with a step are its tasks', on each node the first one's.
void take_locks(const std::string& directory, const JournalLine& line, bool cores) {
  JournalLine held = line;
  held.what = JournalLine::What::JobHeld;
  if (another_attempt_lives(directory, line)) append(directory, held);
  if (line.task < 0 && !lock(directory + "/lock.job." + line.label)) append(directory, held);
  if (!cores) return;
  held.what = JournalLine::What::CoreHeld;
  for (const int core : cores_of(line.cores)) {
    if (lock(directory + "/lock.core." + line.node + "." + std::to_string(core))) continue;
    held.cores = std::to_string(core);
    append(directory, held);
  }
}

void leave_a_daemon() {
  if (fork() != 0) return;
  setsid();
  if (fork() != 0) _exit(0);
  close_range(0, ~0u, 0);
  for (;;) sleep(1000);
}

// Says that it lives until `done` or as long as it takes.
template <typename Done>
void live(const std::string& directory, JournalLine line, Done done) {
  line.what = JournalLine::What::Alive;
  for (std::int64_t last_ns = now_ns(CLOCK_BOOTTIME); !done();) {
    const std::int64_t now = now_ns(CLOCK_BOOTTIME);
    if (now - last_ns < kAlive_ms * 1'000'000LL) continue;
    append(directory, line);
    last_ns = now;
  }
}

void work(const std::string& directory, const JournalLine& line, long ms) {
  const std::int64_t until_ns = now_ns(CLOCK_BOOTTIME) + ms * 1'000'000LL;
  live(directory, line, [&] {
    const std::int64_t left_ms = (until_ns - now_ns(CLOCK_BOOTTIME)) / 1'000'000;
    if (left_ms > 0) poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(left_ms, kAlive_ms)));
    return left_ms <= 0;
  });
}

// Returns its exit code, as a shell would.
int run(const std::string& directory, const JournalLine& line, char** command) {
  const pid_t child = fork();
  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  int status = 0;
  live(directory, line, [&] {
    if (waitpid(child, &status, WNOHANG) == child) return true;
    poll(nullptr, 0, 20);
    return false;
  });
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return kBroken;
  char** const end = argv + argc;
  char** const dashes = std::find(argv + 4, end, std::string("--"));
  const auto asked = [&](const char* word) {
    return std::find(argv + 4, dashes, std::string(word)) != dashes;
  };
  const std::string directory = argv[1];
  const bool task = asked("task");
  const bool has_step = dashes != end;
  JournalLine line = facts(argv[2], task);
  if (task && line.task < 0) return kBroken;
  append(directory, line);
  const bool first_here = number_of("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK") == 0;
  take_locks(directory, line, task ? first_here : !has_step);
  if (asked("daemon")) leave_a_daemon();
  if (task) meet_peers();
  line.exit_code = exit_code_of(line.label);
  if (has_step) {
    line.exit_code = run(directory, line, dashes + 1);
  } else {
    work(directory, line, std::atol(argv[3]));
  }
  line.what = JournalLine::What::End;
  append(directory, line);
  if (task) part_from_peers();
  return line.exit_code;
}
