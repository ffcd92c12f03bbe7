#include "census.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "wait_until.hpp"
#include "worker/process_table.hpp"

namespace hyades::test {
namespace {

std::string read_proc(pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Kin describe(const Process& process) {
  Kin kin{process.pid, process.parent, read_proc(process.pid, "comm"),
          read_proc(process.pid, "cmdline")};
  if (!kin.name.empty() && kin.name.back() == '\n') kin.name.pop_back();
  std::replace(kin.command.begin(), kin.command.end(), '\0', ' ');
  return kin;
}

bool is_alive(pid_t pid) {
  for (const Process& process : read_processes()) {
    if (process.pid == pid) return !process.zombie;
  }
  return false;
}

}  // namespace

void keep_orphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

void reap_orphans() {
  for (const Process& process : read_processes()) {
    if (process.parent == getpid() && process.zombie && process.session != getsid(0)) {
      waitpid(process.pid, nullptr, WNOHANG);
    }
  }
}

std::vector<Kin> family() {
  std::vector<Kin> kin;
  for (const Process& process : descendants(read_processes(), getpid())) {
    if (!process.zombie) kin.push_back(describe(process));
  }
  return kin;
}

std::vector<Kin> bearing(const std::string& variable) {
  std::vector<Kin> kin;
  const std::string wanted = '\0' + variable + '\0';
  for (const Process& process : read_processes()) {
    if (process.zombie || process.pid == getpid()) continue;
    const std::string environment = '\0' + read_proc(process.pid, "environ");
    if (environment.find(wanted) != environment.npos) kin.push_back(describe(process));
  }
  return kin;
}

std::string to_text(const std::vector<Kin>& processes) {
  std::string text;
  for (const Kin& kin : processes) {
    text += std::to_string(kin.pid) + " (parent " + std::to_string(kin.parent) + ") " + kin.name +
            ": " + kin.command.substr(0, 200) + "\n";
  }
  return text;
}

void end_all(const std::vector<Kin>& processes) {
  for (const Kin& kin : processes) kill(kin.pid, SIGKILL);
  wait_until([&] {
    reap_orphans();
    return std::none_of(processes.begin(), processes.end(),
                        [](const Kin& kin) { return is_alive(kin.pid); });
  });
}

}  // namespace hyades::test
