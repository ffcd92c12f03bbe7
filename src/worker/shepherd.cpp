#include "worker/shepherd.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>

#include "core/failpoint.hpp"
#include "worker/account.hpp"
#include "worker/boot_clock.hpp"
#include "worker/job_directory.hpp"
#include "worker/lease_file.hpp"
#include "worker/private_tmp.hpp"
#include "worker/record_file.hpp"
#include "worker/spool_layout.hpp"

namespace hyades {
namespace {

// How long a child that hung while it was prepared is waited for after SIGKILL. It cannot do
// anything any more, so the record need not wait for the file system.
constexpr BootMs hung_child_ms = 5000;
// What is ending anyway when the script has ended has not been left behind.
constexpr BootMs settle_ms = 50;
constexpr BootMs kill_again_ms = 1000;
constexpr int group_patience_ms = 1000;
constexpr int remove_tmp_ms = 60'000;

}  // namespace

Shepherd::Shepherd(UniqueFd record, LaunchRecord launch, Surroundings& surroundings)
    : record_(std::move(record)), launch_(std::move(launch)), surroundings_(surroundings) {}

void Shepherd::run() {
  become_shepherd();
  if (check_uid(launch_) != AccountTrouble::None) {
    fail(describe(check_uid(launch_), launch_));
    return;
  }
  if (!may_write_files()) return;
  if (!run_prolog() || !make_group() || !fork_child() || !await_ready() || !start_job()) return;
  watch();
  finish();
}

// It stays in the launcher's session and process group, which are neither the worker's nor mpirun's
// and have no terminal. In a session of its own the kernel would schedule it apart from the
// launcher (autogroups), and each start would wait longer beside busy jobs. In a group of its own
// it would get SIGCONT, if it is stopped just when the launcher dies.
void Shepherd::become_shepherd() {
  launcher_ = getppid();
  prctl(PR_SET_NAME, shepherd_name);
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
  timers_.open();
}

// False: jobs' files have no safe place, and the record says why.
bool Shepherd::may_write_files() {
  std::string trouble;
  if (open_job_directory(surroundings_.spool_directory, trouble)) return true;
  refuse("the node's spool is not safe: " + trouble);
  return false;
}

// False: the job must not start here, and the record says why.
bool Shepherd::run_prolog() {
  if (launch_.hook_directory.empty()) return true;
  const std::string trouble =
      run_hooks(hooks_of(launch_, HookKind::Prolog, surroundings_.spool_directory));
  if (trouble.empty()) {
    prolog_done_ = true;
    return true;
  }
  processes_.kill_rest();
  refuse("the node's prolog failed: " + trouble);
  return false;
}

// Likewise. Where it fails, the node is not as the next job expects it.
void Shepherd::close_session() {
  if (child_.keeper().pid() == 0) return;
  exit_.epilog_error = child_.keeper().close(launch_.pam_service, launch_.hook_timeout_s);
  processes_.end_keeper(hung_child_ms);
  // What modules have started; but nothing can be waited for beside a child that hangs for ever.
  if (processes_.first_over()) processes_.kill_rest();
}

// Once nothing of the job is left; the programs only if all of the prolog was done.
void Shepherd::run_epilog() {
  close_session();
  if (!prolog_done_) return;
  prolog_done_ = false;
  const std::string trouble =
      run_hooks(hooks_of(launch_, HookKind::Epilog, surroundings_.spool_directory));
  if (!trouble.empty()) exit_.epilog_error = trouble;
  if (processes_.none_left()) processes_.kill_rest();  // not for a job's child that hangs for ever
}

// False: it cannot be made, and the record says why.
bool Shepherd::make_group() {
  Containment& containment = surroundings_.containment;
  if (launch_.cluster_id.empty() || !containment.any()) return true;
  const std::string name = launch_.cluster_id + '/' + to_string(launch_.key);
  const std::string trouble =
      containment.create(name, {.memory_mib = launch_.memory_limit_mib,
                                .processes = launch_.processes_max,
                                .cpus = launch_.contain_cpus ? launch_.cpus : std::vector<int>(),
                                .forbidden_devices = launch_.forbidden_devices});
  if (!trouble.empty()) {
    run_epilog();
    refuse(trouble);
    return false;
  }
  group_ = name;
  processes_.set_group(containment, group_);
  return true;
}

// What only the job itself needed. Once nothing of it is left.
void Shepherd::remove_files() {
  remove_job_files(surroundings_.spool_directory, launch_.key);
  if (launch_.tmp_directory.empty()) return;
  remove_private_tmp(launch_.tmp_directory, launch_, remove_tmp_ms);
}

// Once nothing of the job is left. Whatever somebody else has put into the group goes as well.
void Shepherd::leave_group() {
  if (group_.empty()) return;
  const CgroupUsage usage = surroundings_.containment.measure(group_);
  exit_.out_of_memory = usage.killed_for_memory > 0;
  exit_.usage.user_ms = usage.user_ms.value_or(exit_.usage.user_ms);
  exit_.usage.system_ms = usage.system_ms.value_or(exit_.usage.system_ms);
  exit_.usage.max_rss_kib = usage.peak_kib.value_or(exit_.usage.max_rss_kib);
  while (!end_group(surroundings_.containment, group_, group_patience_ms)) continue;
  // The launcher, which would tidy up when it ends, has gone before.
  if (getppid() != launcher_) surroundings_.containment.tidy_up();
  group_.clear();
}

bool Shepherd::fork_child() {
  if (!signals_ || timers_.fd() < 0 || !child_.open()) {
    refuse(std::string("cannot prepare the job: ") + std::strerror(errno));
    return false;
  }
  if (launch_.private_tmp) launch_.tmp_directory = private_tmp_path(launch_.key);
  if (reports_.open(launch_.uid)) launch_.report_socket = reports_.name();
  forked_ms_ = boot_now_ms();
  const pid_t child = child_.fork_child(launch_, group_, surroundings_);
  processes_.set_first(child);
  if (child > 0) return true;
  const int error = errno;
  leave_group();
  run_epilog();
  refuse(std::string("cannot create the job's process: ") + std::strerror(error));
  return false;
}

// Waits until the child may be told to go. False: it never will be, and the record says why.
bool Shepherd::await_ready() {
  ChildWord word;
  if (!child_.await(launch_, processes_, word)) {
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

void Shepherd::abandon_child() {
  kill(processes_.first(), SIGKILL);
  processes_.kill_rest();
  leave_group();
  remove_files();
  run_epilog();
}

void Shepherd::give_up_on_child(const ChildWord& word) {
  abandon_child();
  const std::string reason = describe_failure(launch_, word);
  if (exit_.out_of_memory) {
    fail("the job's memory limit of " + std::to_string(launch_.memory_limit_mib) +
         " MiB does not even let it start");
  } else if (is_node_fault(word)) {
    refuse(reason);
  } else {
    fail(reason);
  }
}

void Shepherd::give_up_on_hang() {
  const std::string reason = hang_of(launch_, processes_.first());
  kill(processes_.first(), SIGKILL);
  const BootMs deadline = boot_now_ms() + hung_child_ms;
  while (!processes_.none_left() && boot_now_ms() < deadline) {
    processes_.signal_all(SIGKILL);  // what PAM's modules wait for
    processes_.await_children(100);
    processes_.reap();
  }
  if (processes_.none_left()) {
    leave_group();
    remove_files();
  }
  run_epilog();
  fail(reason);
}

// False: the start could not be recorded, so it must not happen.
bool Shepherd::start_job() {
  HYADES_FAILPOINT("shepherd_before_started");
  started_boot_ms_ = boot_now_ms();
  started_ms_ = wall_now_ms();
  if (launch_.lease_s != 0) timers_.lease = lease_end();
  if (timers_.lease != 0 && started_boot_ms_ >= timers_.lease) {
    // Somewhere else it may be starting already.
    abandon_child();
    refuse("the job's lease ran out before it could start here");
    return false;
  }
  const bool recorded = record_.append(
      started_line({.job_pid = processes_.first(),
                    .shepherd_pid = getpid(),
                    .at_ms = started_ms_,
                    .from_ms = forked_ms_,
                    .until_ms = started_boot_ms_,
                    .step_port = step_port_,
                    .contained = group_.empty() ? "" : surroundings_.containment.describe(),
                    .cores = launch_.cores,
                    .elastic = launch_.elastic}));
  if (!recorded) {
    abandon_child();
    return false;
  }
  HYADES_FAILPOINT("shepherd_after_started");
  counters_.open(launch_.counters, processes_.first());
  child_.let_go();
  timers_.start(launch_, started_boot_ms_);
  forget_payload();
  return true;
}

// A shepherd may live for weeks: it keeps only what describe_failure needs.
void Shepherd::forget_payload() {
  launch_.script.resize(std::min<std::size_t>(launch_.script.size(), 256));
  launch_.script.shrink_to_fit();
  launch_.environment = {};
  launch_.step_file = {};
  launch_.mpi_hostfile = {};
  launch_.arguments = {};
  launch_.counters = {};
}

bool Shepherd::over() const {
  // After a stop, what is left of the job has its grace as well: a program that saves its state
  // on SIGTERM must not be killed because the shell around it is gone already.
  const bool in_grace = exit_.stopped != StopReason::None && boot_now_ms() < grace_end_ms_;
  return processes_.first_over() && (processes_.none_left() || !in_grace);
}

void Shepherd::watch() {
  processes_.reap();
  while (!over()) {
    timers_.reports = reports_.pause_end_ms();
    timers_.arm();
    pollfd wait[] = {
        {signals_.get(), POLLIN, 0}, {timers_.fd(), POLLIN, 0}, {reports_.fd(), POLLIN, 0}};
    poll(wait, std::size(wait), -1);
    read_signals();
    on_timers();
    reports_.read(boot_now_ms());
  }
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
  if (children) processes_.reap();
}

void Shepherd::obey(const ShepherdWord& word) {
  if (processes_.first_over() && exit_.stopped == StopReason::None)
    return;  // it has ended by itself
  if (word.kind == ShepherdWord::Kind::Stop) {
    stop(word.reason, word.grace_s);
  } else {
    processes_.signal_programs(word.signal, word.batch_only);
  }
}

void Shepherd::on_timers() {
  const BootMs now = boot_now_ms();
  if (take_due(timers_.warning, now)) {
    processes_.signal_programs(launch_.warning.signal, launch_.warning.batch_only);
  }
  if (take_due(timers_.limit, now)) {
    stop(StopReason::TimeLimit, launch_.kill_grace_s);
  }
  if (timers_.lease != 0 && now >= timers_.lease) on_lease(now);
  if (timers_.look != 0 && now >= timers_.look) look_at_counters(now);
  if (timers_.kill != 0 && now >= timers_.kill && !processes_.first_over()) {
    processes_.signal_all(SIGKILL);
    timers_.kill = now + kill_again_ms;  // again, for what was being forked just then
  }
}

// What the kernel does not know of itself.
void Shepherd::fill_in(Usage& usage) const {
  counters_.report(usage);
  usage.reported = reports_.report().figures();
  usage.refused_reports = reports_.report().refused();
}

// For whoever wants to know how the job is doing; nothing depends on it.
void Shepherd::look_at_counters(BootMs now) {
  timers_.look = now + launch_.counters_every_ms;
  LivePage page{.key = launch_.key,
                .shepherd_pid = getpid(),
                .cores = launch_.cores.size(),
                .started_ms = started_boot_ms_,
                .at_ms = now,
                .ended = processes_.usage()};
  fill_in(page.ended);
  live_page_.write(surroundings_.spool_directory, surroundings_.worker_uid, page);
}

// When the job has to be gone unless the worker has news of the master by then.
BootMs Shepherd::lease_end() const {
  const BootMs renewed =
      std::max(launch_.lease_base_ms, read_lease(surroundings_.spool_directory, launch_.key));
  return renewed + 1000ll * launch_.lease_s;
}

// The worker may be dead; the file is all that counts.
void Shepherd::on_lease(BootMs now) {
  timers_.lease = lease_end();
  if (now < timers_.lease) return;
  timers_.lease = 0;
  stop(StopReason::LeaseExpired, launch_.kill_grace_s);
}

// The first reason counts; later ones can only make it faster.
void Shepherd::stop(StopReason reason, int grace_s) {
  if (reason == StopReason::None) return;
  const BootMs end_ms = boot_now_ms() + 1000ll * grace_s;
  if (exit_.stopped == StopReason::None) {
    exit_.stopped = reason;
    grace_end_ms_ = end_ms;
    timers_.stop(end_ms);
    processes_.signal_all(SIGTERM);
    processes_.signal_all(SIGCONT);  // a stopped process takes SIGTERM only when it goes on
  } else if (end_ms < grace_end_ms_) {
    grace_end_ms_ = end_ms;
    timers_.kill = end_ms;
  }
}

void Shepherd::finish() {
  processes_.settle(settle_ms);
  exit_.left_behind = processes_.kill_rest();
  exit_.usage = processes_.usage();
  reports_.read_rest();
  fill_in(exit_.usage);
  leave_group();
  remove_files();
  // By the clock that nobody sets, so that a job never lasts less than nothing.
  exit_.ended_ms = started_ms_ + (boot_now_ms() - started_boot_ms_);
  run_epilog();
  ChildWord word;
  if (child_.last_word(word)) {
    fail(describe_failure(launch_, word));
    return;
  }
  const int status = processes_.first_status();
  exit_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  exit_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  exit_.started_ms = started_ms_;
  HYADES_FAILPOINT("shepherd_before_exit_record");
  record_.append_and_sync(exit_line(exit_));
  HYADES_FAILPOINT("shepherd_after_exit_record");
}

void Shepherd::refuse(const std::string& reason) {
  const bool also = !exit_.epilog_error.empty();
  record_.append(refused_line(
      also ? reason + "; and the node's epilog failed: " + exit_.epilog_error : reason));
}

void Shepherd::fail(const std::string& launch_error) {
  exit_ = {.started_ms = started_ms_,
           .ended_ms = wall_now_ms(),
           .launch_error = launch_error,
           .out_of_memory = exit_.out_of_memory,
           .epilog_error = exit_.epilog_error};
  if (exit_.started_ms == 0) exit_.started_ms = exit_.ended_ms;
  record_.append_and_sync(exit_line(exit_));
}

}  // namespace hyades
