#include "worker/launcher.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "core/failpoint.hpp"
#include "wire/failpoint_env.hpp"
#include "wire/private_memory.hpp"
#include "worker/cgroup_file.hpp"
#include "worker/fork_patiently.hpp"
#include "worker/job_counters.hpp"
#include "worker/job_directory.hpp"
#include "worker/record_file.hpp"
#include "worker/record_lock.hpp"
#include "worker/scheduling_slice.hpp"
#include "worker/shepherd.hpp"
#include "worker/shepherd_main.hpp"
#include "worker/sweeper.hpp"

namespace hyades {
namespace {

constexpr int sweep_ms = 1000;

// What comes beside an order.
struct Luggage {
  UniqueFd record;
  UniqueFd body;
  uid_t sender = static_cast<uid_t>(-1);  // by the kernel's word; it may be dead by now
};

Luggage unpack(msghdr& message) {
  Luggage luggage;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      ucred credentials = {};
      std::memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
      luggage.sender = credentials.uid;
    }
    if (part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      (i == 0 ? luggage.record : luggage.body).reset(fd);
    }
  }
  return luggage;
}

bool read_memory_file(int file, std::string& bytes) {
  struct stat info = {};
  if (fstat(file, &info) != 0 || info.st_size < 0 ||
      static_cast<std::size_t>(info.st_size) > launch_bytes_max) {
    return false;
  }
  bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t size =
        pread(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    done += static_cast<std::size_t>(size);
  }
  return true;
}

void refuse(int record, const std::string& reason) {
  const std::string line = refused_line(reason);
  // Best effort: that nobody holds the lock any more says what matters.
  if (pwrite(record, line.data(), line.size(), lseek(record, 0, SEEK_END)) < 0) return;
}

// Queued, so that no word is lost; the queue has an end, though.
void queue_signal(int process, std::uint64_t value) {
  siginfo_t info = {};
  info.si_signo = shepherd_signal();
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = reinterpret_cast<void*>(value);
  for (int tries = 0; tries < 100; ++tries) {
    if (syscall(SYS_pidfd_send_signal, process, info.si_signo, &info, 0) == 0) return;
    if (errno != EAGAIN) return;
    poll(nullptr, 0, 1);
  }
}

// Where the launcher is root, the record is the word of somebody who is not: no process of root's
// but shepherds may be told anything for it.
bool is_shepherd(pid_t pid) {
  if (geteuid() != 0) return true;
  std::string name;
  read_cgroup_file("/proc/" + std::to_string(pid) + "/comm", name);
  return name == std::string(shepherd_name) + '\n';
}

// Undoes what the worker has set for itself and an exec keeps.
void set_up_process() {
  prctl(PR_SET_NAME, "hyades-launch");
  keep_memory_private();
  // Past the C library, which would leave its own two as its posix_spawn has set them: ignored.
  constexpr char by_default[64] = {};
  for (int signal = 1; signal < NSIG; ++signal) {
    syscall(SYS_rt_sigaction, signal, by_default, nullptr, 8);
  }
  std::signal(SIGCHLD, SIG_IGN);  // shepherds are nobody's zombies
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  umask(077);
  ask_for_short_slices();  // shepherds inherit it
}

// When memory runs out, whoever watches over jobs should be the last to go. Returns what it was
// before, if it could be changed.
std::optional<std::string> become_a_poor_victim() {
  const std::string path = "/proc/self/oom_score_adj";
  std::string usual;
  const bool changed = read_cgroup_file(path, usual) && write_cgroup_file(path, "-900");
  return changed ? std::optional(usual) : std::nullopt;
}

}  // namespace

Launcher::Launcher(UniqueFd orders, Surroundings surroundings)
    : orders_(std::move(orders)),
      surroundings_(std::move(surroundings)),
      power_(power_root()),
      buffer_(datagram_bytes_max + 1024, '\0') {}

void Launcher::run() {
  if (!power_.restored().empty()) {
    std::fprintf(stderr, "hyades-launcher: gave back the power that was left withheld: %s\n",
                 power_.restored().c_str());
  }
  if (!power_.trouble().empty()) {  // what somebody had left could not be given back
    answer(encode(PowerTrouble{power_.trouble(), power_.withheld()}));
  }
  while (receive()) continue;
  surroundings_.containment.tidy_up();
}

bool Launcher::receive() {
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
  iovec part = {buffer_.data(), buffer_.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(orders_.get(), &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return errno == EINTR || errno == EMFILE || errno == ENOMEM;
  if (size == 0) return false;
  Luggage luggage = unpack(message);
  LauncherOrder order;
  const bool whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (!whole || !decode({buffer_.data(), static_cast<std::size_t>(size)}, order)) {
    if (luggage.record) refuse(luggage.record.get(), "the launcher could not understand the order");
  } else if (const auto* start = std::get_if<StartLaunch>(&order)) {
    surroundings_.worker_uid = luggage.sender;
    on(*start, std::move(luggage.record), std::move(luggage.body));
  } else if (const auto* stop = std::get_if<StopLaunch>(&order)) {
    tell_shepherd(
        stop->key,
        {.kind = ShepherdWord::Kind::Stop, .reason = stop->reason, .grace_s = stop->grace_s});
  } else if (const auto* signal = std::get_if<SignalLaunch>(&order)) {
    tell_shepherd(signal->key, {.kind = ShepherdWord::Kind::Signal,
                                .signal = signal->signal,
                                .batch_only = signal->batch_only});
  } else if (const auto* sweep = std::get_if<SweepLaunch>(&order)) {
    on(*sweep);
  } else if (const auto* cores = std::get_if<SetCores>(&order)) {
    on(*cores);
  } else if (const auto* power = std::get_if<SetPower>(&order)) {
    on(*power);
  }
  return true;
}

void Launcher::on(const StartLaunch& start, UniqueFd record, UniqueFd body) {
  if (!record) return;
  HYADES_FAILPOINT("launcher_before_fork");
  const pid_t child = fork_patiently();
  if (child < 0) {
    refuse(record.get(), std::string("cannot create the shepherd: ") + std::strerror(errno));
  }
  if (child != 0) return;
  // Nothing of the launcher's goes along: 0, 1, 2 are /dev/null, 3 becomes the record.
  std::string encoded(start.record);
  if (body && !read_memory_file(body.get(), encoded)) {
    refuse(record.get(), "cannot read the order to start the job");
    _exit(0);
  }
  buffer_ = std::string();
  if (record.get() != 3) dup3(record.get(), 3, O_CLOEXEC);
  record.release();
  close_range(4, ~0u, 0);
  shepherd_main(UniqueFd(3), encoded, surroundings_);
}

// In a process of its own, because it may take a while. What it cannot do, or say, the worker will
// ask for again.
void Launcher::on(const SweepLaunch& sweep) {
  if (fork() != 0) return;
  prctl(PR_SET_NAME, "hyades-sweep");
  Remains remains;
  const std::string group = sweep.cluster_id + '/' + to_string(sweep.key);
  surroundings_.containment.kill(group);
  const bool clean =
      read_remains(surroundings_.spool_directory, sweep.key, sweep.cluster_id, remains) &&
      sweep_remains(remains, sweep_ms) && end_group(surroundings_.containment, group, sweep_ms);
  if (clean) remove_job_files(surroundings_.spool_directory, sweep.key);
  answer(encode(SweepAnswer{sweep.key, clean}));
  _exit(0);
}

// Here and now: whoever starts next has these cores to itself.
void Launcher::on(const SetCores& cores) {
  const std::string group = cores.cluster_id + '/' + to_string(cores.key);
  const std::string trouble = surroundings_.containment.set_cpus(group, cores.cpus);
  if (!trouble.empty()) answer(encode(CoresTrouble{cores.key, trouble}));
}

void Launcher::on(const SetPower& power) {
  const std::string trouble = power_.set(power.package, power.percent);
  if (!trouble.empty()) answer(encode(PowerTrouble{trouble, power_.withheld()}));
}

void Launcher::answer(const std::string& datagram) {
  send(orders_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// To the shepherd only, and never to a process that has got its pid: while the record is locked
// the shepherd lives, and then the handle that was opened before must be its.
void Launcher::tell_shepherd(const LaunchKey& key, const ShepherdWord& word) {
  const std::string path = surroundings_.spool_directory + '/' + to_string(key);
  UniqueFd record(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string text;
  if (!record || !read_record(record.get(), text)) return;
  const RecordContent content = parse_record(text);
  if (!content.started || content.exit) return;
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, content.started->shepherd_pid, 0)));
  if (process && is_record_locked(record.get()).value_or(false) &&
      is_shepherd(content.started->shepherd_pid))
    queue_signal(process.get(), pack(word));
}

void launcher_main(const std::string& spool_directory) {
  install_failpoints_from_env("launcher");
  set_up_process();
  fcntl(launcher_orders_fd, F_SETFD, FD_CLOEXEC);
  // Until here it was the worker's, for a dynamic linker that has to complain.
  if (dup2(STDIN_FILENO, STDERR_FILENO) < 0 || chdir("/") != 0) _exit(1);
  if (geteuid() == 0) remove_stray_job_files(spool_directory);
  const std::vector<UniqueFd> ready = keep_software_events_ready();
  Launcher(UniqueFd(launcher_orders_fd),
           {spool_directory, Containment::find_as_told(), become_a_poor_victim()})
      .run();
  _exit(0);
}

}  // namespace hyades
