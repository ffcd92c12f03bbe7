#include "worker/job_processes.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <set>
#include <utility>
#include <vector>

#include "worker/boot_clock.hpp"

namespace hyades {
namespace {

constexpr BootMs kill_again_ms_max = 1000;
constexpr BootMs start_time_unit_ms = 10;  // the kernel tells start times by its user's clock

// An mpirun does not wait for the agents by which it has started its daemons on other nodes: that
// they are still there is nothing to tell a user of.
constexpr char remote_agent[] = "hrsh";

// The kernel's unit in rusage, whatever the device. It is /proc/PID/io's figure, divided by this.
constexpr std::int64_t block_bytes = 512;

std::int64_t milliseconds(const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; }

// Everything below this process but the keeper and what is below that.
std::vector<Process> below_us(const std::vector<Process>& all, pid_t keeper) {
  std::vector<Process> found = descendants(all, getpid());
  if (keeper == 0) return found;
  std::set<pid_t> others = {keeper};
  for (const Process& process : descendants(all, keeper)) others.insert(process.pid);
  std::erase_if(found, [&](const Process& process) { return others.contains(process.pid); });
  return found;
}

}  // namespace

void JobProcesses::account(const rusage& usage) {
  timeradd(&usage_.ru_utime, &usage.ru_utime, &usage_.ru_utime);
  timeradd(&usage_.ru_stime, &usage.ru_stime, &usage_.ru_stime);
  usage_.ru_maxrss = std::max(usage_.ru_maxrss, usage.ru_maxrss);
  usage_.ru_minflt += usage.ru_minflt;
  usage_.ru_majflt += usage.ru_majflt;
  usage_.ru_nvcsw += usage.ru_nvcsw;
  usage_.ru_nivcsw += usage.ru_nivcsw;
  usage_.ru_inblock += usage.ru_inblock;
  usage_.ru_oublock += usage.ru_oublock;
}

Usage JobProcesses::usage() const {
  return {.user_ms = milliseconds(usage_.ru_utime),
          .system_ms = milliseconds(usage_.ru_stime),
          .max_rss_kib = usage_.ru_maxrss,
          .minor_faults = usage_.ru_minflt,
          .major_faults = usage_.ru_majflt,
          .voluntary_switches = usage_.ru_nvcsw,
          .involuntary_switches = usage_.ru_nivcsw,
          .read_bytes = usage_.ru_inblock * block_bytes,
          .write_bytes = usage_.ru_oublock * block_bytes,
          .counters = {},
          .missing_counters = {},
          .reported = {}};
}

std::vector<Process> JobProcesses::members() const { return below_us(read_processes(), keeper_); }

// The kernel's word, that there are no children, cannot be had. But a look at all processes that
// finds no child finds none that was there: each stays, dead or alive, until this process reaps it.
bool JobProcesses::only_keeper_left() const {
  std::vector<Process> all;
  return read_processes(all) && below_us(all, keeper_).empty();
}

void JobProcesses::end_keeper(BootMs most_ms) {
  reap();
  if (keeper_ != 0) kill(-keeper_, SIGKILL);  // not reaped yet, so the number is its own
  const BootMs deadline = boot_now_ms() + most_ms;
  for (; keeper_ != 0 && boot_now_ms() < deadline; reap()) await_children(100);
}

void JobProcesses::reap() {
  while (true) {
    int status = 0;
    rusage usage = {};
    const pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
    none_left_ = pid < 0 && errno == ECHILD;
    if (pid == 0 && keeper_ != 0 && first_over_) none_left_ = only_keeper_left();
    if (pid <= 0) return;
    if (pid == keeper_) {
      keeper_ = 0;
      continue;
    }
    account(usage);
    if (pid == first_) {
      first_over_ = true;
      first_status_ = status;
    }
  }
}

void JobProcesses::set_group(Containment& containment, const std::string& group) {
  containment_ = &containment;
  group_ = &group;
}

void JobProcesses::kill_group() {
  if (containment_ != nullptr) containment_->kill(*group_);
}

// Repeats the look until it finds nobody new, because a process may be forking at that moment. What
// is born later is how a program obeys, unless nobody is to be left: it saves its state.
void JobProcesses::signal_all(int signal) {
  if (signal == SIGKILL) kill_group();
  const BootMs begin_ms = boot_now_ms() / start_time_unit_ms * start_time_unit_ms;
  std::set<std::pair<pid_t, BootMs>> done;
  for (int round = 0; round < 10; ++round) {
    bool found = false;
    for (const Process& process : members()) {
      if (!done.insert({process.pid, process.start_ms}).second) continue;
      if (round > 0 && signal != SIGKILL && process.start_ms >= begin_ms) continue;
      found = true;
      signal_process(process, signal);
    }
    if (!found) return;
  }
}

void JobProcesses::signal_programs(int signal, bool first_only) {
  if (signal == SIGKILL && !first_only) {
    // The first one first: a shell that sees its child killed would report the child's end as its
    // own.
    if (!first_over_) kill(first_, SIGKILL);
    signal_all(SIGKILL);
    return;
  }
  std::vector<Process> targets;
  for (const Process& process : members()) {
    if (process.pid != first_ && !process.zombie) targets.push_back(process);
  }
  if (first_only || targets.empty()) {
    if (!first_over_) kill(first_, signal);  // not waited for yet, so the pid is its own
    return;
  }
  for (const Process& process : targets) signal_process(process, signal);
}

void JobProcesses::await_children(BootMs most_ms) {
  pollfd wait = {signals_.get(), POLLIN, 0};
  poll(&wait, 1, static_cast<int>(most_ms));
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) continue;
}

void JobProcesses::settle(BootMs most_ms) {
  const BootMs deadline = boot_now_ms() + most_ms;
  for (reap(); !none_left_; reap()) {
    const BootMs left = deadline - boot_now_ms();
    if (left <= 0) return;
    await_children(left);
  }
}

// Killing a process gives its children to the shepherd, so each round sees more of a tree that
// tries to hide; whole process groups are killed at one blow, because a fork bomb is faster than
// one kill at a time.
int JobProcesses::kill_rest() {
  std::set<std::pair<pid_t, BootMs>>
      killed;  // counted here: a dying parent may still reap its child
  BootMs patience_ms = 1;
  for (reap(); !none_left_; reap()) {
    std::set<pid_t> groups;
    const std::vector<Process> rest = members();
    kill_group();
    for (const Process& process : rest) {
      signal_process(process, SIGKILL);
      groups.insert(process.group);
      if (!process.zombie && process.name != remote_agent)
        killed.insert({process.pid, process.start_ms});
    }
    groups.erase(getpgrp());
    groups.erase(0);
    if (patience_ms > 1) {
      for (pid_t group : groups) kill(-group, SIGKILL);
    }
    await_children(patience_ms);
    patience_ms = std::min(patience_ms * 2, kill_again_ms_max);
  }
  return static_cast<int>(killed.size());
}

}  // namespace hyades
