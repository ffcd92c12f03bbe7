#include "worker/shepherd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "core/failpoint.hpp"
#include "wire/failpoint_env.hpp"
#include "worker/boot_clock.hpp"
#include "worker/fork_patiently.hpp"
#include "worker/record_file.hpp"

namespace hyades {
namespace {

// A warning that is due at once still leaves the script a moment to set its traps.
constexpr BootMs warning_after_ms = 1000;
// How long a child that hung while it was prepared is waited for after SIGKILL. It cannot do
// anything any more, so the record need not wait for the file system.
constexpr BootMs hung_child_ms = 5000;
constexpr BootMs kill_again_ms_max = 1000;
constexpr BootMs write_again_ms_max = 5000;

WallMs milliseconds(const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; }

std::string process_name(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

void pause_ms(BootMs duration) { poll(nullptr, 0, static_cast<int>(duration)); }

}  // namespace

Shepherd::Shepherd(UniqueFd record, LaunchRecord launch)
    : record_(std::move(record)), launch_(std::move(launch)) {
  record_size_ = std::max<off_t>(lseek(record_.get(), 0, SEEK_END), 0);
}

void Shepherd::run() {
  become_shepherd();
  if (!fork_child() || !await_ready() || !start_job()) return;
  watch();
  finish();
}

// It stays in the launcher's session and process group, which are neither the worker's nor mpirun's
// and have no terminal. In a session of its own the kernel would schedule it apart from the
// launcher (autogroups), and each start would wait longer beside busy jobs. In a group of its own
// it would get SIGCONT, if it is stopped just when the launcher dies.
void Shepherd::become_shepherd() {
  prctl(PR_SET_NAME, "hyades-shep");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Not to be traced, nor its memory read, by what it watches over.
  prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGCHLD, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, shepherd_signal());
  signals_.reset(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  clock_.reset(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
}

bool Shepherd::fork_child() {
  int ends[2];
  if (!signals_ || !clock_ || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    refuse(std::string("cannot prepare the job: ") + std::strerror(errno));
    return false;
  }
  UniqueFd child_end(ends[1]);
  channel_.reset(ends[0]);
  const pid_t shepherd = getpid();
  forked_ms_ = boot_now_ms();
  script_ = fork_patiently();
  if (script_ == 0) {
    // Closes the record with it: its lock must not outlive the shepherd.
    dup3(child_end.get(), 3, O_CLOEXEC);
    close_range(4, ~0u, 0);
    run_job_child(launch_, 3, shepherd);
  }
  if (script_ > 0) return true;
  refuse(std::string("cannot create the job's process: ") + std::strerror(errno));
  return false;
}

// Waits until the child may be told to go. False: it never will be, and the record says why.
bool Shepherd::await_ready() {
  ChildWord word;
  if (!await_word(word)) {
    give_up_on_hang();
    return false;
  }
  if (word.stage == Stage::Ready) {
    step_port_ = word.step_port;
    return true;
  }
  give_up_on_child(word);
  return false;
}

// False: it hangs.
bool Shepherd::await_word(ChildWord& word) {
  const BootMs deadline = forked_ms_ + 1000ll * launch_.preparation_limit_s;
  while (true) {
    const BootMs left = deadline - boot_now_ms();
    if (left <= 0) return false;
    pollfd wait = {channel_.get(), POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(left)) <= 0) continue;
    if (recv(channel_.get(), &word, sizeof word, 0) != sizeof word) {
      word = {Stage::Session, ECHILD};  // somebody killed it
    }
    return true;
  }
}

void Shepherd::give_up_on_child(const ChildWord& word) {
  kill(script_, SIGKILL);
  kill_rest();
  const std::string reason = describe_failure(launch_, word);
  if (is_node_fault(word.stage)) {
    refuse(reason);
  } else {
    fail(reason);
  }
}

void Shepherd::give_up_on_hang() {
  const std::string reason = describe_hang(launch_, process_name(script_));
  kill(script_, SIGKILL);
  const BootMs deadline = boot_now_ms() + hung_child_ms;
  while (!nothing_left_ && boot_now_ms() < deadline) {
    await_children(100);
    reap();
  }
  fail(reason);
}

// False: the start could not be recorded, so it must not happen.
bool Shepherd::start_job() {
  HYADES_FAILPOINT("shepherd_before_started");
  started_boot_ms_ = boot_now_ms();
  started_ms_ = wall_now_ms();
  const bool recorded = append(started_line({.job_pid = script_,
                                             .shepherd_pid = getpid(),
                                             .at_ms = started_ms_,
                                             .from_ms = forked_ms_,
                                             .until_ms = started_boot_ms_,
                                             .step_port = step_port_}));
  if (!recorded) {
    kill(script_, SIGKILL);
    kill_rest();
    return false;
  }
  HYADES_FAILPOINT("shepherd_after_started");
  send(channel_.get(), "g", 1, MSG_NOSIGNAL);
  set_timers();
  forget_payload();
  return true;
}

// A companion has no end of its own: the batch part's is followed by a stop.
void Shepherd::set_timers() {
  if (launch_.companion || launch_.time_limit_s == 0) return;
  timers_.limit = started_boot_ms_ + 1000ll * launch_.time_limit_s;
  if (launch_.warning.signal == 0) return;
  const BootMs due = timers_.limit - 1000ll * launch_.warning.seconds_before_end;
  timers_.warning = std::max(due, started_boot_ms_ + warning_after_ms);
}

// A shepherd may live for weeks: it keeps only what describe_failure needs.
void Shepherd::forget_payload() {
  launch_.script.resize(std::min<std::size_t>(launch_.script.size(), 256));
  launch_.script.shrink_to_fit();
  launch_.environment = {};
  launch_.step_file = {};
  launch_.mpi_hostfile = {};
  launch_.arguments = {};
}

bool Shepherd::over() const {
  // After a stop, what is left of the job has its grace as well: a program that saves its state
  // on SIGTERM must not be killed because the shell around it is gone already.
  const bool in_grace = exit_.stopped != StopReason::None && boot_now_ms() < grace_end_ms_;
  return script_over_ && (nothing_left_ || !in_grace);
}

void Shepherd::watch() {
  reap();
  while (!over()) {
    arm();
    pollfd wait[] = {{signals_.get(), POLLIN, 0}, {clock_.get(), POLLIN, 0}};
    poll(wait, 2, -1);
    read_signals();
    on_timers();
  }
}

void Shepherd::arm() {
  BootMs next = 0;
  for (BootMs due : {timers_.warning, timers_.limit, timers_.kill}) {
    if (due != 0 && (next == 0 || due < next)) next = due;
  }
  itimerspec when = {};
  when.it_value.tv_sec = next / 1000;
  when.it_value.tv_nsec = next % 1000 * 1'000'000;
  timerfd_settime(clock_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void Shepherd::read_signals() {
  signalfd_siginfo info;
  bool children = false;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    ShepherdWord word;
    if (info.ssi_signo == SIGCHLD) {
      children = true;
    } else if (unpack(info.ssi_ptr, word)) {
      obey(word);
    }
  }
  if (children) reap();
}

void Shepherd::obey(const ShepherdWord& word) {
  if (script_over_ && exit_.stopped == StopReason::None) return;  // it has ended by itself
  if (word.kind == ShepherdWord::Kind::Stop) {
    stop(word.reason, word.grace_s);
  } else {
    send_signal(word.signal, word.batch_only);
  }
}

void Shepherd::on_timers() {
  const BootMs now = boot_now_ms();
  if (timers_.warning != 0 && now >= timers_.warning) {
    timers_.warning = 0;
    send_signal(launch_.warning.signal, launch_.warning.batch_only);
  }
  if (timers_.limit != 0 && now >= timers_.limit) {
    timers_.limit = 0;
    stop(StopReason::TimeLimit, launch_.kill_grace_s);
  }
  if (timers_.kill != 0 && now >= timers_.kill && !script_over_) {
    signal_all(SIGKILL);
    timers_.kill = now + kill_again_ms_max;  // again, for what was being forked just then
  }
}

// The first reason counts; later ones can only make it faster.
void Shepherd::stop(StopReason reason, int grace_s) {
  if (reason == StopReason::None) return;
  const BootMs end_ms = boot_now_ms() + 1000ll * grace_s;
  if (exit_.stopped == StopReason::None) {
    exit_.stopped = reason;
    grace_end_ms_ = end_ms;
    timers_ = {.kill = end_ms};
    signal_all(SIGTERM);
    signal_all(SIGCONT);  // a stopped process takes SIGTERM only when it goes on
  } else if (end_ms < grace_end_ms_) {
    grace_end_ms_ = end_ms;
    timers_.kill = end_ms;
  }
}

// Repeats the look until it finds nobody new, because a process may be forking at that moment.
void Shepherd::signal_all(int signal) {
  std::set<std::pair<pid_t, BootMs>> done;
  for (int round = 0; round < 10; ++round) {
    bool found = false;
    for (const Process& process : descendants(read_processes(), getpid())) {
      if (!done.insert({process.pid, process.start_ms}).second) continue;
      found = true;
      signal_process(process, signal);
    }
    if (!found) return;
  }
}

void Shepherd::send_signal(int signal, bool batch_only) {
  if (signal == SIGKILL && !batch_only) {
    // The script first: a shell that sees its child killed would report the child's end as its own.
    if (!script_over_) kill(script_, SIGKILL);
    signal_all(SIGKILL);
    return;
  }
  std::vector<Process> targets;
  for (const Process& process : descendants(read_processes(), getpid())) {
    if (process.pid != script_ && !process.zombie) targets.push_back(process);
  }
  if (batch_only || targets.empty()) {
    if (!script_over_) kill(script_, signal);  // not waited for yet, so the pid is its own
    return;
  }
  for (const Process& process : targets) signal_process(process, signal);
}

void Shepherd::account(const rusage& usage) {
  timeradd(&usage_.ru_utime, &usage.ru_utime, &usage_.ru_utime);
  timeradd(&usage_.ru_stime, &usage.ru_stime, &usage_.ru_stime);
  usage_.ru_maxrss = std::max(usage_.ru_maxrss, usage.ru_maxrss);
}

// Until one has ended, `most_ms` at most. What else the shepherd is told no longer matters then.
void Shepherd::await_children(BootMs most_ms) {
  pollfd wait = {signals_.get(), POLLIN, 0};
  poll(&wait, 1, static_cast<int>(most_ms));
  signalfd_siginfo info;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) continue;
}

void Shepherd::reap() {
  while (true) {
    int status = 0;
    rusage usage = {};
    const pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
    nothing_left_ = pid < 0 && errno == ECHILD;
    if (pid <= 0) return;
    account(usage);
    if (pid == script_) {
      script_over_ = true;
      script_status_ = status;
    }
  }
}

// Until not one process is left. Killing a process gives its children to the shepherd, so each
// round sees more of a tree that tries to hide; whole process groups are killed at one blow,
// because a fork bomb is faster than one kill at a time.
void Shepherd::kill_rest() {
  std::set<std::pair<pid_t, BootMs>>
      killed;  // counted here: a dying parent may still reap its child
  BootMs patience_ms = 1;
  for (reap(); !nothing_left_; reap()) {
    std::set<pid_t> groups;
    for (const Process& process : descendants(read_processes(), getpid())) {
      signal_process(process, SIGKILL);
      groups.insert(process.group);
      if (!process.zombie) killed.insert({process.pid, process.start_ms});
    }
    groups.erase(getpgrp());
    groups.erase(0);
    if (patience_ms > 1) {
      for (pid_t group : groups) kill(-group, SIGKILL);
    }
    await_children(patience_ms);
    patience_ms = std::min(patience_ms * 2, kill_again_ms_max);
  }
  exit_.left_behind = static_cast<int>(killed.size());
}

void Shepherd::finish() {
  kill_rest();
  ChildWord word;
  if (recv(channel_.get(), &word, sizeof word, MSG_DONTWAIT) == sizeof word) {
    fail(describe_failure(launch_, word));
    return;
  }
  exit_.exit_code = WIFEXITED(script_status_) ? WEXITSTATUS(script_status_) : 0;
  exit_.signal = WIFSIGNALED(script_status_) ? WTERMSIG(script_status_) : 0;
  exit_.started_ms = started_ms_;
  // By the clock that nobody sets, so that a job never lasts less than nothing.
  exit_.ended_ms = started_ms_ + (boot_now_ms() - started_boot_ms_);
  exit_.usage = {.user_ms = milliseconds(usage_.ru_utime),
                 .system_ms = milliseconds(usage_.ru_stime),
                 .max_rss_kib = usage_.ru_maxrss};
  HYADES_FAILPOINT("shepherd_before_exit_record");
  append_and_sync(exit_line(exit_));
  HYADES_FAILPOINT("shepherd_after_exit_record");
}

void Shepherd::refuse(const std::string& reason) { append(refused_line(reason)); }

void Shepherd::fail(const std::string& launch_error) {
  exit_ = {.started_ms = started_ms_, .ended_ms = wall_now_ms(), .launch_error = launch_error};
  if (exit_.started_ms == 0) exit_.started_ms = exit_.ended_ms;
  append_and_sync(exit_line(exit_));
}

// All or nothing: until all of it is there, the next attempt writes to the same place.
bool Shepherd::append(const std::string& line) {
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = pwrite(record_.get(), line.data() + done, line.size() - done,
                                   record_size_ + static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  record_size_ += static_cast<off_t>(done);
  return true;
}

// For ever, because nobody else knows how the job ended. The claim has reserved the space, so
// failing at all takes a file system without reservations, or a broken disk. The directory entry
// needs no sync of its own: the file systems that a spool lives on (ext4, XFS, btrfs) make a new
// file's name durable together with the first sync of its content.
void Shepherd::append_and_sync(const std::string& line) {
  BootMs patience_ms = 100;
  while (!append(line)) {
    pause_ms(patience_ms);
    patience_ms = std::min(patience_ms * 2, write_again_ms_max);
  }
  // A sync that failed is not repeated: the kernel has dropped what it could not write, and a
  // second sync would only seem to succeed. The line can still be read while the machine is up.
  fdatasync(record_.get());
}

void shepherd_main(UniqueFd record, const std::string& encoded) {
  install_failpoints_from_env("shepherd");
  LaunchRecord launch;
  if (decode(encoded, launch)) {
    Shepherd(std::move(record), std::move(launch)).run();
  } else {
    // The job's fault, not the node's: each node would fail at the same order, and one job would
    // drain them all.
    Shepherd(std::move(record), LaunchRecord()).fail("the launch order could not be understood");
  }
  _exit(0);
}

}  // namespace hyades
