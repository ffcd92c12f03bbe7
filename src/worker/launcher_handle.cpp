#include "worker/launcher_handle.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "worker/containment.hpp"
#include "worker/job_directory.hpp"
#include "worker/launcher.hpp"
#include "worker/power_limits.hpp"

namespace hyades {
namespace {

// What the launcher is born with. Everything is set between its fork and its exec, so that not even
// a signal to the worker's process group finds it still in there.
class Birth {
 public:
  explicit Birth(int orders) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, orders, launcher_orders_fd);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addclosefrom_np(&files_, launcher_orders_fd + 1);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID);
  }
  ~Birth() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&files_);
  }
  Birth(const Birth&) = delete;
  Birth& operator=(const Birth&) = delete;

  // Returns an error number, which is the exec's when that is what failed.
  int give(const std::string& program, const std::string& spool_directory, pid_t& pid) {
    char* arguments[] = {const_cast<char*>(program.c_str()),
                         const_cast<char*>(spool_directory.c_str()), nullptr};
    return posix_spawn(&pid, program.c_str(), &files_, &attributes_, arguments, environ);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

std::string describe_failure(const std::string& program, int error) {
  std::string text = "cannot run the launcher " + program + ": " + std::strerror(error);
  if (error == ENOENT) {
    text += "; it belongs beside hyadesd: put the one of the same build there";
  } else if (error == EACCES || error == ENOEXEC) {
    text += "; it must be a program that this user may execute, the one of hyadesd's build";
  }
  return text;
}

// Empty when there is no memory for it.
UniqueFd memory_file(std::string_view bytes) {
  UniqueFd file(memfd_create("hyades-launch", MFD_CLOEXEC));
  std::size_t done = 0;
  while (file && done < bytes.size()) {
    const ssize_t written = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return UniqueFd();
    done += static_cast<std::size_t>(written);
  }
  return file;
}

ssize_t send_datagram(int socket, const std::string& datagram, int record, int body) {
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  iovec part = {const_cast<char*>(datagram.data()), datagram.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (record >= 0) {
    const int fds[] = {record, body};
    const std::size_t size = (body >= 0 ? 2 : 1) * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(head), fds, size);
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

LauncherHandle LauncherHandle::start_before_mpi(const std::string& program,
                                                const std::string& spool_directory) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error(std::string("cannot create a socket for the launcher: ") +
                             std::strerror(errno));
  }
  UniqueFd here(ends[0]);
  const UniqueFd there(ends[1]);
  if (geteuid() == 0) make_job_directory(spool_directory);
  // With each order the launcher is told as whom this process sends it. From now on, because the
  // first order may come before the launcher runs.
  const int on = 1;
  setsockopt(there.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  // With the launcher's rights, in its group, and before it looks itself.
  LauncherHandle handle(std::move(here), Containment::find_as_told());
  const int error = Birth(there.get()).give(program, spool_directory, handle.pid_);
  if (error != 0) throw std::runtime_error(describe_failure(program, error));
  return handle;
}

LauncherHandle::LauncherHandle(UniqueFd socket, const Containment& containment)
    : socket_(std::move(socket)),
      containment_(containment.describe()),
      binds_cpus_(containment.binds_cpus()) {
  for (const PackageLimit& limit : find_package_limits(power_root(), no_power_)) {
    power_packages_.push_back(limit.package);
  }
}

LauncherHandle::LauncherHandle(LauncherHandle&& other) noexcept
    : socket_(std::move(other.socket_)),
      pid_(std::exchange(other.pid_, 0)),
      containment_(std::move(other.containment_)),
      binds_cpus_(other.binds_cpus_),
      cores_trouble_(std::move(other.cores_trouble_)),
      power_packages_(std::move(other.power_packages_)),
      no_power_(std::move(other.no_power_)),
      power_trouble_(std::move(other.power_trouble_)),
      power_withheld_(std::move(other.power_withheld_)),
      gone_(other.gone_),
      started_as_(other.started_as_),
      answers_(std::move(other.answers_)),
      waiting_(std::move(other.waiting_)) {}

LauncherHandle::~LauncherHandle() {
  socket_.reset();  // the launcher's sign to leave
  // Collected if it is quick, so that no zombie stays; never waited for long.
  for (int tries = 0; pid_ > 0 && tries < 200 && waitpid(pid_, nullptr, WNOHANG) == 0; ++tries) {
    poll(nullptr, 0, 1);
  }
}

void LauncherHandle::lost() {
  gone_ = true;
  waiting_.clear();  // and with it the locks of the launches that will not happen
}

bool LauncherHandle::alive() {
  char datagram[answer_bytes_max];
  while (!gone_) {
    const ssize_t size = recv(socket_.get(), datagram, sizeof datagram, MSG_DONTWAIT);
    SweepAnswer answer;
    CoresTrouble trouble;
    PowerTrouble power;
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) lost();
    if (size < 0 && errno == EAGAIN) break;
    if (size <= 0) continue;
    const std::string_view bytes(datagram, static_cast<std::size_t>(size));
    if (decode(bytes, answer)) {
      answers_[answer.key] = answer;
    } else if (decode(bytes, trouble)) {
      cores_trouble_ = trouble.why;
    } else if (decode(bytes, power)) {
      power_trouble_ = power.why;
      power_withheld_ = power.withheld;
    }
  }
  return !gone_;
}

std::optional<SweepAnswer> LauncherHandle::take_answer(const LaunchKey& key) {
  alive();
  const auto found = answers_.find(key);
  if (found == answers_.end()) return std::nullopt;
  const SweepAnswer answer = found->second;
  answers_.erase(found);
  return answer;
}

bool LauncherHandle::send(const LauncherOrder& order, UniqueFd record) {
  if (gone_) return false;
  Waiting waiting{encode(order), std::move(record), UniqueFd()};
  const auto* start = std::get_if<StartLaunch>(&order);
  if (start != nullptr && waiting.datagram.size() > datagram_bytes_max) {
    if (start->record.size() > launch_bytes_max) {
      errno = E2BIG;
      return false;
    }
    waiting.body = memory_file(start->record);
    if (!waiting.body) return false;
    waiting.datagram = encode(StartLaunch{start->key, {}});
  }
  waiting_.push_back(std::move(waiting));
  return flush();
}

bool LauncherHandle::flush() {
  while (!gone_ && !waiting_.empty()) {
    const Waiting& next = waiting_.front();
    if (send_datagram(socket_.get(), next.datagram, next.record.get(), next.body.get()) >= 0) {
      waiting_.pop_front();
    } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS) {
      return true;  // later
    } else {
      lost();
    }
  }
  return !gone_;
}

}  // namespace hyades
