// The job of the chaos tests: probe DIRECTORY LABEL MILLISECONDS [daemon].
//
// Locks its label and each of its cores for life, writes that it started, works, writes that it
// ends, and exits with the code that its label stands for. With "daemon" it leaves a process behind
// that tries to escape.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "journal.hpp"

namespace {

using namespace hyades::test;

constexpr int kBroken = 250;  // no label stands for it

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::int64_t now_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void append(const std::string& directory, JournalLine line) {
  line.at_ns = now_ns(CLOCK_BOOTTIME);
  line.wall_ms = now_ns(CLOCK_REALTIME) / 1'000'000;
  const std::string text = to_text(line);
  const int file = open(journal_path(directory, line.node).c_str(),
                        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  const bool written = file >= 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  close(file);
  if (!written) std::_Exit(kBroken);
}

// False: somebody else holds it. The lock lasts as long as this process.
bool lock(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) std::_Exit(kBroken);
  return flock(file, LOCK_EX | LOCK_NB) == 0;
}

JournalLine facts(const std::string& label) {
  JournalLine line;
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  std::ifstream("/proc/sys/kernel/random/boot_id") >> line.boot_id;
  line.label = label;
  line.host = host;
  line.job = std::strtoull(variable("HYADES_JOB_ID").c_str(), nullptr, 10);
  line.attempt = std::atoi(variable("HYADES_ATTEMPT").c_str());
  line.launch = variable("HYADES_LAUNCH");
  line.pid = getpid();
  line.node = variable("HYADES_NODENAME");
  line.cores = variable("HYADES_CORES");
  return line;
}

void take_locks(const std::string& directory, const JournalLine& line) {
  JournalLine held = line;
  if (!lock(directory + "/lock.job." + line.label)) {
    held.what = JournalLine::What::JobHeld;
    append(directory, held);
  }
  for (const int core : cores_of(line.cores)) {
    if (lock(directory + "/lock.core." + line.node + "." + std::to_string(core))) continue;
    held.what = JournalLine::What::CoreHeld;
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

void work(long ms) {
  const timespec pause{ms / 1000, ms % 1000 * 1'000'000};
  nanosleep(&pause, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return kBroken;
  const std::string directory = argv[1];
  JournalLine line = facts(argv[2]);
  append(directory, line);
  take_locks(directory, line);
  if (argc > 4) leave_a_daemon();
  work(std::atol(argv[3]));
  line.what = JournalLine::What::End;
  line.exit_code = exit_code_of(line.label);
  append(directory, line);
  return line.exit_code;
}
