#include "wire/failpoint_env.hpp"

#ifndef HYADES_TEST_HOOKS

namespace hyades {
void install_failpoints_from_env(const std::string&) {}
}  // namespace hyades

#else

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <vector>

#include "core/failpoint.hpp"

namespace hyades {

namespace {

struct Strike {
  std::string name;
  std::string mark;  // the entry's file in the directory of HYADES_FAILPOINT_ONCE
  std::string action;
  int nth = 1;
};

// The handler is a plain function, so what it knows has to be global. Test builds only.
struct Plan {
  std::vector<Strike> strikes;
  std::string log;
  std::string once;
  std::map<std::string, int> passed;
};
Plan* plan = nullptr;

[[noreturn]] void malformed(const std::string& entry) {
  std::fprintf(stderr, "HYADES_FAILPOINT: '%s' is not \"[role/]name:kill|stop|count[:nth]\"\n",
               entry.c_str());
  std::_Exit(2);
}

// One entry of the list; strikes for other roles are checked and left out.
void parse_entry(const std::string& entry, const std::string& role, std::vector<Strike>& out) {
  const std::size_t slash = entry.find('/');
  const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t colon = entry.find(':', start);
  if (colon == std::string::npos || colon == start) malformed(entry);
  const std::size_t second = entry.find(':', colon + 1);
  Strike strike;
  strike.name = entry.substr(start, colon - start);
  strike.mark = start == 0 ? strike.name : entry.substr(0, slash) + "." + strike.name;
  strike.action =
      entry.substr(colon + 1, second == std::string::npos ? second : second - colon - 1);
  if (strike.action != "kill" && strike.action != "stop" && strike.action != "count") {
    malformed(entry);
  }
  if (second != std::string::npos) strike.nth = std::atoi(entry.c_str() + second + 1);
  if (strike.nth < 1) malformed(entry);
  if (start == 0 || entry.compare(0, slash, role) == 0) out.push_back(std::move(strike));
}

// One write with O_APPEND: lines of several processes do not mix.
void log_line(const std::string& line) {
  if (plan->log.empty()) return;
  const int fd = open(plan->log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return;
  if (write(fd, line.data(), line.size()) < 0) std::perror(plan->log.c_str());
  close(fd);
}

// False when another process was struck there before.
bool is_first(const Strike& strike) {
  if (plan->once.empty()) return true;
  const int fd = open((plan->once + "/" + strike.mark).c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

void pass(const char* name) {
  const int count = ++plan->passed[name];
  const std::string who = std::string(name) + " " + std::to_string(getpid());
  if (count == 1) log_line(who + "\n");
  for (const Strike& strike : plan->strikes) {
    if (strike.name != name || strike.nth != count || strike.action == "count") continue;
    if (!is_first(strike)) continue;
    log_line(who + " " + strike.action + "\n");
    raise(strike.action == "kill" ? SIGKILL : SIGSTOP);
  }
}

}  // namespace

void install_failpoints_from_env(const std::string& role) {
  const char* list = std::getenv("HYADES_FAILPOINT");
  const char* log = std::getenv("HYADES_FAILPOINT_LOG");
  const char* once = std::getenv("HYADES_FAILPOINT_ONCE");
  failpoint_handler = nullptr;
  delete plan;
  plan = nullptr;
  if (list == nullptr && log == nullptr) return;
  plan = new Plan;
  if (log != nullptr) plan->log = log;
  if (once != nullptr) plan->once = once;
  std::istringstream entries(list == nullptr ? "" : list);
  for (std::string entry; std::getline(entries, entry, ',');) {
    if (!entry.empty()) parse_entry(entry, role, plan->strikes);
  }
  failpoint_handler = pass;
}

}  // namespace hyades

#endif
